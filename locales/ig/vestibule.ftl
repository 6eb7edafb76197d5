### Ederede nke ibe ndị a n’Igbo. Igodo na uru ha bụ otu na nke en/vestibule.ftl.
###
### Needs a native reader: made by somebody whose first language is not Igbo. The page says so (layout-unreviewed) until
### `Language::is_reviewed` says otherwise.

## Around every page

layout-skip = Gafee gaa n’ihe dị na ibe a
layout-progress = Ọganihu
layout-agree = Kweta
layout-connect = Jikọọ
layout-your-data = Ozi gị
layout-done = Emechaala
layout-language = Asụsụ
layout-unreviewed = Onye Igbo bụ asụsụ nne ya elelebeghị ntụgharị a.

## Lengths and points of time

time-days = ụbọchị { $count }
time-hours = awa { $count }
time-minutes = nkeji { $count }
time-seconds = sekọnd { $count }
time-date = { $day } { $month } { $year }, { $time } UTC
time-month = { $month ->
    [1] Jenụwarị
    [2] Febrụwarị
    [3] Maachị
    [4] Epreel
    [5] Mee
    [6] Juun
    [7] Julaị
    [8] Ọgọọst
    [9] Septemba
    [10] Ọktoba
    [11] Novemba
   *[12] Disemba
}

## What went wrong, and the way on

problem-no-code = Usoro wọlet anaghị aza ugbu a, ya mere koodu adịghị. Ọ nweghị ihe furu efu: nwaa ọzọ mgbe otu nkeji gachara.
problem-no-new-code = Usoro wọlet anaghị aza ugbu a, ya mere koodu ọhụrụ adịghị. Ọ nweghị ihe furu efu: nwaa ọzọ mgbe otu nkeji gachara.
problem-busy = Mgbalị sitere na netwọk gị dị ọtụtụ ugbu a. Chere otu nkeji, wee nwaa ọzọ.
problem-server = Nsogbu mere n’akụkụ anyị, e dekwala ya. Nwaa ọzọ mgbe otu nkeji gachara.
problem-cookies = Ihe nchọgharị gị edebeghị kuki nke ibe a ji amata gị. Kwe ka ibe a jiri kuki, ma ọ bụ meghee ya na-abụghị n’ụzọ nzuzo, wee nwaa ọzọ.
problem-not-stored = Enweghị ike ịchekwa ndebanye aha gị ugbu a, e dekwala ya. Ọ nweghị ihe furu efu: nwaa ọzọ mgbe otu nkeji gachara.
not-found-title = Ahụghị ya
not-found = Ibe dị otú a adịghị
not-found-text = Adreesị ahụ nwere ike ịbụ na e dehiere ya ma ọ bụ na ọ kara nká. Ndebanye aha na-aga n’ihu efughị: ọ nọ ebe ọ nọ.
to-the-start = Gaa na mbido
broken-title = Ọ dịghị ugbu a
broken = Enweghị ike igosi ibe a ugbu a
broken-text = Nsogbu mere n’akụkụ anyị, e dekwala ya. Ihe ị mere efughị: nwaa ọzọ mgbe otu nkeji gachara.
number-of-request = Ọ bụrụ na ị gwa anyị, nọmba a ga-enyere anyị aka: { $id }
try-again = Nwaa ọzọ

## The first page, and the page of consent

home-begin = Malite
register-heading = Tupu ị malite
register-need = Ihe ị chọrọ
register-a-wallet = Wọlet, n’ekwentị
register-the-wallet = Wọlet { $wallet }, n’ekwentị
register-card = { $card } gị n’ime ya
register-card-issued = { $card } gị nke { $issuer } nyere, n’ime ya
register-a-minute = Ihe dị ka otu nkeji
register-asked = Ihe a ga-ajụ, na ihe kpatara ya
register-terms = { $organisation } ga-ahụ ihe ndị a na aha wọlet gị, ma ọ gaghị ahụ ihe ọzọ dị n’ime ya. Emesịa ị ga-ede adreesị email na nọmba ekwentị gị. A ga-edebe ha niile ruo { $kept }, wee hichapụ ha; ọ bụrụ na ị mechaghị, mgbe { $unfinished } gachara. Ị ka nwere ike ịjụ n’ime wọlet.
register-whole-card = Naanị otu ihe dị iche: n’ụdị kaadị a, wọlet gị na-eziga kaadị ahụ dum. A naghị edebe ihe na-edeghị ebe a.
register-agree = Ekwetara m, gosi m koodu
register-optional = ọ bụghị iwu
register-only-proven = { $condition }; ọnụ ọgụgụ ahụ n’onwe ya na-anọ n’ime wọlet gị
register-at-least = opekata mpe { $value }
register-at-most = ọ gaghị akarị { $value }
register-more-than = karịa { $value }
register-less-than = erughị { $value }

## The page of the code: what happens now, in one sentence

now-waiting = Jiri wọlet gị gụọ koodu a
now-opened = Nabata njikọ ahụ na wọlet gị
now-scanned = Na-ejikọ na { $wallet }
now-connected = Ejikọtala na { $wallet }
now-requested = Lee { $wallet }
now-presented = I kwetala, a na-enyocha ya
now-verified = Akwadoro ya
now-submitted = E debala aha
now-declined = Ị jụrụ inye ya
now-invalid = Enweghị ike ịkwado kaadị ahụ
now-abandoned = Wọlet kwụsịrị njikọ ahụ
now-expired = Oge agwụla
now-cancelled = Akagbuola
now-failed = Usoro wọlet jụrụ
now-your-wallet = wọlet gị

## How the page is kept up to date

badge-connecting = Na-ejikọ …
badge-live = Ozugbo
badge-polling = Na-elele kwa sekọnd { $seconds }
badge-offline = Netwọk adịghị
connect-offline = Netwọk adịghị. Ọ nweghị ihe furu efu: ozugbo ọ lọtara, ibe a ga-aga n’ihu n’onwe ya.
connect-crowded = E meghere ndebanye aha a na windo karịrị akarị. Mechie ụfọdụ; nke a na-aga n’ihu, naanị na ọ na-adị nwayọ ntakịrị.
refresh-by-itself = Ibe a na-achọ ozi ọhụrụ kwa sekọnd ole na ole.
refresh-stop = Kwụsị ya
refresh-now = Chọọ ozi ọhụrụ
connect-slow = Usoro wọlet na-egbu oge ịza. A ka na-agbalị; ọ dịghị ihe ị ga-eme.
connect-time-left = Oge fọrọ:
connect-last-minute = O fọrọ otu nkeji.

## The page of the code: what to do

connect-scan = Meghee wọlet n’ekwentị gị wee gụọ koodu a.
connect-scan-with = Meghee wọlet { $wallet } n’ekwentị gị wee gụọ koodu a.
connect-sandbox = Tebụl a bụ maka nnwale: igwefoto ekwentị ọ bụla ga-arụ ọrụ.
connect-sandbox-wallet = Meghee wọlet nnwale na taabụ ọzọ
connect-picture-of-code = Koodu wọlet gị ga-agụ
connect-enlarge = Mee ka koodu buo ibu
connect-close = Mechie
connect-open-wallet = Meghee wọlet n’ekwentị a
connect-open-other-wallet = Meghee wọlet ọzọ n’ekwentị a
connect-other-phone = Wọlet ọ dị n’ekwentị ọzọ? Gụọ koodu:
connect-cannot-scan = Enweghị ike ịgụ ya?
connect-copy-link = Detuo njikọ a n’ime wọlet gị:
connect-no-wallet = Ị nwebeghị wọlet?
connect-new-code = Koodu ọhụrụ
connect-cancel = Kagbuo
connect-scanned = Wọlet gị na { $organisation } na-amata onwe ha. Ọ na-ewe sekọnd ole na ole.
connect-connected = N’oge na-adịghị anya, wọlet gị ga-ajụ ma ị̀ chọrọ inye { $card } gị.
connect-requested = Ọ na-egosi ihe { $organisation } na-arịọ. Kweta ya n’ebe ahụ, ibe a ga-aga n’ihu n’onwe ya.
connect-presented = { $card } gị erutela. A na-enyocha mbinye aka ya.
connect-verified = { $card } gị bụ ezigbo ya. O fọrọ naanị adreesị email na nọmba ekwentị gị ka i dee.
connect-to-the-form = Gaa na fọm
connect-code = Koodu
connect-same-code = Wọlet gị na-egosi koodu a na arịrịọ ahụ; ọ bụrụ na ọ gosi nke ọzọ, jụ ya, n’ihi na arịrịọ ahụ abụghị nke gị.
connect-nothing-to-see = Ọ nweghị ihe ị hụrụ na wọlet gị?
connect-nothing-to-see-text = Meghee ya wee lee ozi ndị dị na ya. Ọ bụrụ na ọ nweghị, rịọ ọzọ, ma zaa arịrịọ kacha ọhụrụ: nke nwere koodu ọhụrụ. Ma ọ bụ jiri koodu ọhụrụ bido ọzọ.
connect-ask-again = Rịọ ọzọ
connect-no-card = { $card } adịghị na wọlet gị?
connect-no-card-ask = Jụọ { $issuer } otú ị ga-esi tinye ya na wọlet gị. Emesịa, lọghachi wee bido ọzọ: ọ nweghị ihe ga-efu.
connect-other-wallet = Ọ bụghị wọlet gị?
connect-other-wallet-text = O nwere ike ịbụ na onye ọzọ gụrụ koodu gị. Kagbuo ya; e nyebeghị ihe ọ bụla. Emesịa jiri koodu ọhụrụ bido ọzọ, egosila ya onye ọ bụla.

## The page of the code: when nothing happens for a while

hint-waiting = Ọ nweghị ihe na-eme? Mee ka koodu buo ibu, ma ọ bụ wezuga ekwentị ntakịrị. Ekwentị ahụ chọkwara ịntanetị.
hint-waiting-long = Ọ ka nweghị ihe mere? Wọlet a nwere ike ọ gaghị agụli koodu a. Lee n’okpuru “Enweghị ike ịgụ ya?”, ma ọ bụ were koodu ọhụrụ.
hint-opened = Wọlet gị nwere koodu a mana ọ jikọbeghị. Meghee ya wee kweta njikọ ahụ n’ebe ahụ.
hint-opened-long = Ọ ka jikọbeghị? Mechie wọlet, were koodu ọhụrụ ebe a wee gụọ ya: ụfọdụ wọlet anaghị ewere otu koodu ugboro abụọ.
hint-connecting = Nke a na-ewe oge karịa ka ọ na-adị. Hapụ wọlet gị ka o meghee, ka ekwentị ya nọrọ n’ịntanetị.
hint-connecting-long = Ọ ka nweghị ihe mere? Kagbuo ya, jiri koodu ọhụrụ bido ọzọ. E nyebeghị ihe ọ bụla.
hint-requested = Ọ nweghị ihe ị hụrụ? Meghee wọlet gị wee lee ozi ndị dị na ya.
hint-requested-long = Ọ ka nweghị ihe mere? Lee n’okpuru: e nwere ike ịrịọ wọlet gị ọzọ, ma ọ bụ were koodu ọhụrụ.
hint-presented = Nnyocha ahụ na-ewe oge karịa ka ọ na-adị. Ọ dịghị ihe ị ga-eme.

## Ends, and the way on

end-declined = E nyeghị ihe ọ bụla. Ọ bụrụ na ị ka chọrọ ịdebanye aha, bido ọzọ.
end-invalid = Ihe wọlet gị zitere abụghị { $card } ziri ezi. Hụ na kaadị ahụ bụ nke gị, na oge ya agwụbeghị, nakwa na ihe niile si n’otu kaadị.
end-abandoned = Wọlet kwụsịrị tupu ejikọọ ya. Nwaa ọzọ, ma kweta njikọ ahụ mgbe wọlet jụrụ.
end-expired = E mechaghị ndebanye aha a n’oge, ya mere ọ kwụsịla. Ị nwere ike ibido ọzọ.
end-cancelled = Akagbuola ndebanye aha a, koodu ahụ anaghịzi arụ ọrụ.
end-failed = Usoro wọlet ekwetaghị ka ndebanye aha a gaa n’ihu. E dekwala ya. Nwaa ọzọ; ọ bụrụ na o mee ọzọ, gwa { $organisation }.
end-new-code = Jiri koodu ọhụrụ nwaa ọzọ
end-ask-my-wallet = Rịọ wọlet m ọzọ
end-each-value = Ihe nke ọ bụla bara uru ya
end-submitted = E debala aha gị.
end-see-number = Lee nọmba gị

## What was shared, and the form

form-shared = Ihe i nyere
form-proven-by = { $card } gị kwadoro ya, { $organisation } matara ya ugbu a. Ọ dịghị nke e kwesịrị ide ede.
form-reach = Otú a ga-esi nweta gị
form-reach-text = Ọ dịghị kaadị kwuru nke a, ya mere ị ga-ede ya. { $organisation } na-eji ya naanị maka ndebanye aha a.
form-faults = E debabeghị aha gị. Ọnụ ọgụgụ oghere kwesịrị ndozi: { $count }. Ihe i dere ka dị.
form-email = Adreesị email
form-email-hint = Dịka ọmụmaatụ amaka@example.org
form-phone = Nọmba ekwentị
form-phone-hint = Na nọmba mba, dịka ọmụmaatụ +234 801 234 5678
form-register = Debanye aha
form-missing = Ihe fọdụrụ
form-missing-text = Wọlet gị enyeghị ihe { $organisation } na-enweghị ike ịdebanye aha gị ma ọ nọghị ya:
form-missing-way = Rịọ wọlet gị ọzọ, kwe ka o nye nke ahụ kwa. Ọ bụrụ na ọ dị na { $card } n’ime wọlet ọzọ, jiri koodu ọhụrụ bido ọzọ.
form-not-shared = e nyeghị ya
form-not-shared-required = e nyeghị ya, ọ dị mkpa
form-proven = akwadoro ya
form-proven-stayed = akwadoro ya; ọnụ ọgụgụ ahụ n’onwe ya nọ n’ime wọlet gị
form-issued-by = Onye nyere ya: { $issuer }
form-issuer-is = Onye nyere ya bụ
fault-email-missing = Dee adreesị email gị, dịka amaka@example.org.
fault-email-parts = Adreesị email nwere aha, otu @ na ngalaba, dịka amaka@example.org.
fault-email-signs = Wepụ oghere, rịkọm, akara nkụkọ na ihe ndị yiri ha: adreesị email enweghị ha.
fault-email-dots = Lelee ntụpọ: o kwesịghị ịmalite ma ọ bụ mechie adreesị, ma ọ bụ nọrọ n’akụkụ ntụpọ ọzọ ma ọ bụ @.
fault-email-domain = Lelee ihe sochiri @: ọ ga-abụrịrị ngalaba, dịka example.org.
fault-email-long = Dee adreesị email dị mkpụmkpụ: ọ gaghị akarị mkpụrụedemede 64 tupu @ na 254 ha niile.
fault-phone-missing = Dee nọmba ekwentị gị, dịka +234 801 234 5678.
fault-phone-signs = Jiri naanị nọmba: naanị oghere, ntụpọ, akara njikọ na akara nkụkọ nwere ike ịdị n’etiti ha.
fault-phone-country = Jiri + na nọmba mba malite, dịka +234 801 234 5678.
fault-phone-length = Lelee ole nọmba dị: na nọmba mba, ha si na 7 ruo 15.

## The number

confirmation-heading = E debala aha gị
confirmation-number = Nọmba gị
confirmation-follows = Ihe na-esote
confirmation-kept = Ihe a na-edebe
confirmation-kept-text = Ihe i nyere na otú a ga-esi nweta gị, ruo { $kept }. Emesịa a ga-ehichapụ ya. Dee nọmba ahụ, ma ọ bụ bipụta ibe a: naanị ihe nchọgharị a na-egosi ya.
confirmation-print = Bipụta

## A code's link, opened by a person

link-open-with = Jiri { $wallet } meghee nke a
link-for-a-wallet = Njikọ a bụ maka wọlet. N’ekwentị nwere { $wallet }, meghee ya ebe a, ma ọ bụ si n’ime wọlet gụọ koodu ahụ ọzọ.
link-open = Meghee { $wallet }
link-gone = Koodu a anaghịzi arụ ọrụ
link-gone-text = E jirila ya, oge ya gwụrụ, ma ọ bụ nke ọhụrụ nọchiri ya. Lọghachi na ibe gosiri ya: ọ na-ekwu otú ị ga-esi gaa n’ihu, o nwekwara koodu ọhụrụ ma ọ bụrụ na ị chọrọ.

## Going on on another device

hand-over-heading = Gaa n’ihu na ngwaọrụ ọzọ
hand-over-text = Na ngwaọrụ nke ọzọ, meghee { $address } wee dee koodu a. Ọ na-arụ ọrụ otu ugboro, n’ime { $life }.
hand-over-code = Koodu
hand-over-scan = Ma ọ bụ jiri igwefoto nke ngwaọrụ ọzọ gụọ nke a:
hand-over-back = Lọghachi na ndebanye aha
continue-heading = Gaa n’ihu ebe a
continue-text = Dee koodu ngwaọrụ gị nke ọzọ na-egosi. Gaa n’ihu naanị na ndebanye aha gị onwe gị malitere.
continue-go = Gaa n’ihu
continue-wrong = Koodu a ezighị ezi, ma ọ bụ oge ya agwụla. Were nke ọhụrụ na ngwaọrụ nke ọzọ.
