### Rubutun shafuka da Hausa. Maɓallai da ƙimomi iri ɗaya ne da na en/vestibule.ftl.
###
### Needs a native reader: made by somebody whose first language is not Hausa. The page says so (layout-unreviewed) until
### `Language::is_reviewed` says otherwise.

## Around every page

layout-skip = Tsallake zuwa abin da ke ciki
layout-progress = Matakai
layout-agree = Yarda
layout-connect = Haɗi
layout-your-data = Bayananku
layout-done = An gama
layout-language = Harshe
layout-unreviewed = Babu wanda Hausa ce harshensa na asali da ya duba wannan fassarar tukuna.

## Lengths and points of time

time-days = { $count ->
    [one] kwana { $count }
   *[other] kwanaki { $count }
}
time-hours = { $count ->
    [one] awa { $count }
   *[other] awanni { $count }
}
time-minutes = { $count ->
    [one] minti { $count }
   *[other] mintuna { $count }
}
time-seconds = { $count ->
    [one] daƙiƙa { $count }
   *[other] daƙiƙoƙi { $count }
}
time-date = { $day } ga { $month } { $year }, { $time } UTC
time-month = { $month ->
    [1] Janairu
    [2] Fabrairu
    [3] Maris
    [4] Afirilu
    [5] Mayu
    [6] Yuni
    [7] Yuli
    [8] Agusta
    [9] Satumba
    [10] Oktoba
    [11] Nuwamba
   *[12] Disamba
}

## What went wrong, and the way on

problem-no-code = Tsarin walet ba ya amsawa yanzu, don haka babu lamba. Ba a rasa komai ba: sake gwadawa bayan minti ɗaya.
problem-no-new-code = Tsarin walet ba ya amsawa yanzu, don haka babu sabuwar lamba. Ba a rasa komai ba: sake gwadawa bayan minti ɗaya.
problem-busy = An yi gwaje-gwaje da yawa daga layinku yanzu. Jira minti ɗaya, sannan a sake gwadawa.
problem-server = An sami matsala a wajenmu, kuma an rubuta ta. Sake gwadawa bayan minti ɗaya.
problem-cookies = Burauzarku ba ta ajiye kukin da wannan shafi yake gane ku da shi ba. Ku yarda da kuki ga wannan shafi, ko ku buɗe shi ba a yanayin sirri ba, sannan ku sake gwadawa.
problem-not-stored = Ba a iya adana rajistarku yanzu ba, kuma an rubuta hakan. Ba a rasa komai ba: sake gwadawa bayan minti ɗaya.
not-found-title = Ba a samu ba
not-found = Babu irin wannan shafi
not-found-text = Wataƙila adireshin ba daidai ba ne ko ya tsufa. Rajistar da aka fara ba ta ɓace ba: tana nan inda take.
to-the-start = Zuwa farko
broken-title = Babu shi yanzu
broken = Ba a iya nuna wannan shafi yanzu ba
broken-text = An sami matsala a wajenmu, kuma an rubuta ta. Ba a rasa abin da kuka yi ba: sake gwadawa bayan minti ɗaya.
number-of-request = Idan kun gaya mana, wannan lambar za ta taimaka: { $id }
try-again = Sake gwadawa

## The first page, and the page of consent

home-begin = Fara
register-heading = Kafin ku fara
register-need = Abin da kuke buƙata
register-a-wallet = Walet a kan waya
register-the-wallet = Walet na { $wallet } a kan waya
register-card = { $card } ɗinku a cikinsa
register-card-issued = { $card } ɗinku, wanda { $issuer } ya bayar, a cikinsa
register-a-minute = Kamar minti ɗaya
register-asked = Abin da za a tambaya, da dalilinsa
register-terms = { $organisation } za ta ga waɗannan bayanai da sunan walet ɗinku, ba wani abu kuma daga cikinsa ba. Bayan haka za ku rubuta adireshin imel da lambar wayarku. Za a ajiye duka har { $kept }, sannan a goge; idan ba ku gama ba, bayan { $unfinished }. Har yanzu kuna iya ƙi a cikin walet.
register-whole-card = Sai dai abu ɗaya: da irin wannan katin, walet ɗinku yana aika katin gaba ɗaya. Ba a ajiye abin da ba a lissafa a nan ba.
register-agree = Na yarda, nuna mini lambar
register-optional = ba dole ba
register-only-proven = { $condition }; ainihin adadin yana nan a walet ɗinku
register-at-least = aƙalla { $value }
register-at-most = kada ya wuce { $value }
register-more-than = fiye da { $value }
register-less-than = ƙasa da { $value }

## The page of the code: what happens now, in one sentence

now-waiting = Ku karanta lambar da walet ɗinku
now-opened = Ku amince da haɗin a walet ɗinku
now-scanned = Ana haɗawa da { $wallet }
now-connected = An haɗa da { $wallet }
now-requested = Ku duba { $wallet }
now-presented = An amince, ana tantancewa
now-verified = An tabbatar
now-submitted = An yi rajista
now-declined = Kun ƙi ku bayar
now-invalid = Ba a iya tabbatar da katin ba
now-abandoned = Walet ya katse haɗin
now-expired = Lokaci ya ƙare
now-cancelled = An soke
now-failed = Tsarin walet ya ƙi
now-your-wallet = walet ɗinku

## How the page is kept up to date

badge-connecting = Ana haɗawa …
badge-live = Kai tsaye
badge-polling = Ana dubawa duk daƙiƙa { $seconds }
badge-offline = Babu hanyar sadarwa
connect-offline = Babu hanyar sadarwa. Ba a rasa komai ba: da zarar ta dawo, wannan shafi zai ci gaba da kansa.
connect-crowded = An buɗe wannan rajista a tagogi da yawa. Ku rufe waɗansu; wannan zai ci gaba, amma a hankali kaɗan.
refresh-by-itself = Wannan shafi yana duba sabon labari bayan kowane daƙiƙoƙi kaɗan.
refresh-stop = Dakatar da wannan
refresh-now = Duba sabon labari
connect-slow = Tsarin walet yana jinkirin amsawa. Ana ci gaba da gwadawa; ba sai kun yi komai ba.
connect-time-left = Lokacin da ya rage:
connect-last-minute = Saura minti ɗaya.

## The page of the code: what to do

connect-scan = Ku buɗe walet a wayarku, ku karanta lambar.
connect-scan-with = Ku buɗe walet na { $wallet } a wayarku, ku karanta lambar.
connect-sandbox = Wannan teburi na gwaji ne: kyamarar kowace waya za ta yi.
connect-sandbox-wallet = Buɗe walet na gwaji a wani shafi
connect-picture-of-code = Lambar da walet ɗinku zai karanta
connect-enlarge = Faɗaɗa lambar
connect-close = Rufe
connect-open-wallet = Buɗe walet a wannan waya
connect-open-other-wallet = Buɗe wani walet a wannan waya
connect-other-phone = Walet yana kan wata waya? Karanta:
connect-cannot-scan = Ba a iya karantawa?
connect-copy-link = Ku kwafi wannan mahaɗi zuwa walet ɗinku:
connect-no-wallet = Ba ku da walet tukuna?
connect-new-code = Sabuwar lamba
connect-cancel = Soke
connect-scanned = Walet ɗinku da { $organisation } suna gane juna. Zai ɗauki daƙiƙoƙi kaɗan.
connect-connected = Nan ba da daɗewa ba walet ɗinku zai tambaye ku ko kuna so ku bayar da { $card } ɗinku.
connect-requested = Yana nuna abin da { $organisation } ke nema. Ku amince a can, wannan shafi zai ci gaba da kansa.
connect-presented = { $card } ɗinku ya iso. Ana tabbatar da sa hannunsa.
connect-verified = { $card } ɗinku na gaskiya ne. Saura adireshin imel da lambar waya ku rubuta.
connect-to-the-form = Zuwa fom
connect-code = Lamba
connect-same-code = Walet ɗinku yana nuna wannan lamba tare da buƙatar; idan ya nuna wata dabam, ku ƙi, domin buƙatar ba taku ba ce.
connect-nothing-to-see = Babu abin gani a walet ɗinku?
connect-nothing-to-see-text = Ku buɗe shi, ku duba saƙonninsa. Idan babu, a sake tambaya, ku amsa sabuwar buƙata: mai sabuwar lamba. Ko ku sake farawa da sabuwar lambar karantawa.
connect-ask-again = Sake tambaya
connect-no-card = Babu { $card } a walet ɗinku?
connect-no-card-ask = Ku tambayi { $issuer } yadda za ku saka shi a walet ɗinku. Sannan ku dawo ku sake farawa: ba za ku rasa komai ba.
connect-other-wallet = Ba walet ɗinku ba ne?
connect-other-wallet-text = Wataƙila wani ne ya karanta lambarku. Ku soke; ba a bayar da komai ba. Sannan ku sake farawa da sabuwar lamba, kada ku nuna wa kowa.

## The page of the code: when nothing happens for a while

hint-waiting = Babu abin da ke faruwa? Ku faɗaɗa lambar, ko ku ɗan ja wayar baya. Wayar ma tana buƙatar intanet.
hint-waiting-long = Har yanzu babu komai? Wataƙila wannan walet ba ya iya karanta lambar. Ku duba “Ba a iya karantawa?”, ko ku ɗauki sabuwar lamba.
hint-opened = Walet ɗinku yana da lambar amma bai haɗu ba tukuna. Ku buɗe shi, ku amince da haɗin a can.
hint-opened-long = Har yanzu bai haɗu ba? Ku rufe walet, ku ɗauki sabuwar lamba a nan ku karanta ta: waɗansu walet ba sa karɓar lamba sau biyu.
hint-connecting = Wannan yana ɗaukar lokaci fiye da yadda aka saba. Ku bar walet a buɗe, wayarsa kuma a kan intanet.
hint-connecting-long = Har yanzu babu komai? Ku soke, ku sake farawa da sabuwar lamba. Ba a bayar da komai ba.
hint-requested = Babu abin gani? Ku buɗe walet ɗinku, ku duba saƙonninsa.
hint-requested-long = Har yanzu babu komai? Ku duba ƙasa: ana iya sake tambayar walet ɗinku, ko ku ɗauki sabuwar lamba.
hint-presented = Tantancewar tana ɗaukar lokaci fiye da yadda aka saba. Ba sai kun yi komai ba.

## Ends, and the way on

end-declined = Ba a bayar da komai ba. Idan har yanzu kuna son yin rajista, ku sake farawa.
end-invalid = Abin da walet ɗinku ya aiko ba { $card } mai inganci ba ne. Ku tabbata katin naku ne, bai ƙare aiki ba, kuma duk bayanan daga kati ɗaya suke.
end-abandoned = Walet ya tsaya kafin ya haɗu. Ku sake gwadawa, ku amince da haɗin idan walet ya tambaya.
end-expired = Ba a gama wannan rajista a kan lokaci ba, don haka ta ƙare. Kuna iya sake farawa.
end-cancelled = An soke rajistar, kuma lambar ba ta aiki yanzu.
end-failed = Tsarin walet bai yarda ya ci gaba da wannan rajista ba. An rubuta hakan. Ku sake gwadawa; idan ya sake faruwa, ku faɗa wa { $organisation }.
end-new-code = Sake gwadawa da sabuwar lamba
end-ask-my-wallet = Sake tambayar walet ɗina
end-each-value = Amfanin kowane bayani
end-submitted = An yi muku rajista.
end-see-number = Ku ga lambarku

## What was shared, and the form

form-shared = Abin da kuka bayar
form-proven-by = An tabbatar da shi da { $card } ɗinku, kuma { $organisation } ta san shi yanzu. Ba sai an rubuta komai daga ciki ba.
form-reach = Yadda za a same ku
form-reach-text = Babu katin da ya faɗi wannan, don haka ku rubuta. { $organisation } za ta yi amfani da shi don wannan rajista kaɗai.
form-faults = { $count ->
    [one] Ba a yi muku rajista ba tukuna. Wuri ɗaya yana buƙatar gyara; abin da kuka rubuta yana nan.
   *[other] Ba a yi muku rajista ba tukuna. Wurare biyu suna buƙatar gyara; abin da kuka rubuta yana nan.
}
form-email = Adireshin imel
form-email-hint = Misali amaka@example.org
form-phone = Lambar waya
form-phone-hint = Tare da lambar ƙasa, misali +234 801 234 5678
form-register = Yi rajista
form-missing = Akwai abin da ya rage
form-missing-text = Walet ɗinku bai bayar da abin da { $organisation } ba za ta iya yi muku rajista ba tare da shi ba:
form-missing-way = A sake tambayar walet ɗinku, ku bar shi ya bayar da wannan ma. Idan yana kan { $card } a wani walet, ku sake farawa da sabuwar lamba.
form-not-shared = ba a bayar ba
form-not-shared-required = ba a bayar ba, dole ne
form-proven = an tabbatar
form-proven-stayed = an tabbatar; ainihin adadin ya tsaya a walet ɗinku
form-issued-by = Wanda ya bayar: { $issuer }
form-issuer-is = Wanda ya bayar shi ne
fault-email-missing = Ku rubuta adireshin imel ɗinku, kamar amaka@example.org.
fault-email-parts = Adireshin imel yana da suna, @ ɗaya da yanki, kamar amaka@example.org.
fault-email-signs = Ku cire sarari, waƙafi, baka da makamantansu: adireshin imel ba shi da su.
fault-email-dots = Ku duba ɗigo: kada ya kasance a farko ko ƙarshen adireshin, ko kusa da wani ɗigo ko @.
fault-email-domain = Ku duba abin da ke bayan @: dole ya zama yanki, kamar example.org.
fault-email-long = Ku rubuta gajeren adireshin imel: kada a wuce haruffa 64 kafin @, 254 gaba ɗaya.
fault-phone-missing = Ku rubuta lambar wayarku, kamar +234 801 234 5678.
fault-phone-signs = Ku yi amfani da lambobi kaɗai: sarari, ɗigo, jan layi da baka kawai za su iya zama a tsakaninsu.
fault-phone-country = Ku fara da + da lambar ƙasa, kamar +234 801 234 5678.
fault-phone-length = Ku duba yawan lambobin: tare da lambar ƙasa, daga 7 zuwa 15 ne.

## The number

confirmation-heading = An yi muku rajista
confirmation-number = Lambarku
confirmation-follows = Abin da zai biyo baya
confirmation-kept = Abin da za a ajiye
confirmation-kept-text = Abin da kuka bayar da yadda za a same ku, har { $kept }. Sannan za a goge. Ku rubuta lambar, ko ku buga wannan shafi: ana nuna shi a wannan burauza kaɗai.
confirmation-print = Buga

## A code's link, opened by a person

link-open-with = Ku buɗe wannan da { $wallet }
link-for-a-wallet = Wannan mahaɗi na walet ne. A wayar da ke da { $wallet }, ku buɗe shi a nan, ko ku sake karanta lambar daga cikin walet.
link-open = Buɗe { $wallet }
link-gone = Wannan lamba ba ta aiki yanzu
link-gone-text = An yi amfani da ita, ko ta ƙare, ko sabuwa ta maye gurbinta. Ku koma shafin da ya nuna ta: zai faɗi yadda za ku ci gaba, kuma yana da sabuwar lamba idan kuna buƙata.

## Going on on another device

hand-over-heading = Ci gaba a wata na’ura
hand-over-text = A wata na’urar, ku buɗe { $address } ku rubuta wannan lamba. Sau ɗaya take aiki, cikin { $life }.
hand-over-code = Lamba
hand-over-scan = Ko ku karanta wannan da kyamarar wata na’urar:
hand-over-back = Koma zuwa rajista
continue-heading = Ci gaba a nan
continue-text = Ku rubuta lambar da wata na’urarku take nunawa. Ku ci gaba kawai da rajistar da ku da kanku kuka fara.
continue-go = Ci gaba
continue-wrong = Wannan lamba ba daidai ba ce, ko lokacinta ya ƙare. Ku nemi sabuwa a wata na’urar.
