### Àwọn ọ̀rọ̀ ojú-ìwé ní Yorùbá. Àwọn kọ́kọ́rọ́ àti iye wọn bá ti en/vestibule.ftl mu.
###
### Needs a native reader: made by somebody whose first language is not Yoruba. The page says so (layout-unreviewed) until
### `Language::is_reviewed` says otherwise.

## Around every page

layout-skip = Fò lọ sí àkóónú
layout-progress = Ìlọsíwájú
layout-agree = Gbà
layout-connect = Sopọ̀
layout-your-data = Ìròyìn rẹ
layout-done = Ó parí
layout-language = Èdè
layout-unreviewed = Ẹnikẹ́ni tí Yorùbá jẹ́ èdè abínibí rẹ̀ kò tíì yẹ ìtumọ̀ yìí wò.

## Lengths and points of time

time-days = ọjọ́ { $count }
time-hours = wákàtí { $count }
time-minutes = ìṣẹ́jú { $count }
time-seconds = ìṣẹ́jú-àáyá { $count }
time-date = { $day } { $month } { $year }, { $time } UTC
time-month = { $month ->
    [1] Oṣù Kìíní
    [2] Oṣù Kejì
    [3] Oṣù Kẹta
    [4] Oṣù Kẹrin
    [5] Oṣù Karùn-ún
    [6] Oṣù Kẹfà
    [7] Oṣù Keje
    [8] Oṣù Kẹjọ
    [9] Oṣù Kẹsàn-án
    [10] Oṣù Kẹwàá
    [11] Oṣù Kọkànlá
   *[12] Oṣù Kejìlá
}

## What went wrong, and the way on

problem-no-code = Ètò wọ́lẹ́ẹ̀tì kò dáhùn báyìí, nítorí náà kò sí kóòdù. Kò sí ohun tó sọnù: tún gbìyànjú lẹ́yìn ìṣẹ́jú kan.
problem-no-new-code = Ètò wọ́lẹ́ẹ̀tì kò dáhùn báyìí, nítorí náà kò sí kóòdù tuntun. Kò sí ohun tó sọnù: tún gbìyànjú lẹ́yìn ìṣẹ́jú kan.
problem-busy = Ìgbìyànjú ti pọ̀ jù láti orí nẹ́tíwọ́ọ̀kì rẹ báyìí. Dúró fún ìṣẹ́jú kan, kí o tún gbìyànjú.
problem-server = Nǹkan kan ṣẹlẹ̀ lọ́dọ̀ wa, a sì ti kọ ọ́ sílẹ̀. Tún gbìyànjú lẹ́yìn ìṣẹ́jú kan.
problem-cookies = Bíráwùsà rẹ kò tọ́jú kúkì tí ojú-ìwé yìí fi ń dá ọ mọ̀. Gba kúkì láàyè fún ojú-ìwé yìí, tàbí ṣí i láìsí ipò ìkọ̀kọ̀, kí o tún gbìyànjú.
problem-not-stored = A kò lè fi ìforúkọsílẹ̀ rẹ pamọ́ báyìí, a sì ti kọ ọ́ sílẹ̀. Kò sí ohun tó sọnù: tún gbìyànjú lẹ́yìn ìṣẹ́jú kan.
not-found-title = A kò rí i
not-found = Kò sí irú ojú-ìwé bẹ́ẹ̀
not-found-text = Ó lè jẹ́ pé àdírẹ́sì náà kò tọ́ tàbí ó ti pẹ́. Ìforúkọsílẹ̀ tó ń lọ lọ́wọ́ kò sọnù: ó wà níbi tó wà.
to-the-start = Sí ìbẹ̀rẹ̀
broken-title = Kò sí lárọ̀ọ́wọ́tó
broken = A kò lè fi ojú-ìwé yìí hàn báyìí
broken-text = Nǹkan kan ṣẹlẹ̀ lọ́dọ̀ wa, a sì ti kọ ọ́ sílẹ̀. Ohun tí o ṣe kò sọnù: tún gbìyànjú lẹ́yìn ìṣẹ́jú kan.
number-of-request = Bí o bá sọ fún wa, nọ́mbà yìí yóò ràn wá lọ́wọ́: { $id }
try-again = Tún gbìyànjú

## The first page, and the page of consent

home-begin = Bẹ̀rẹ̀
register-heading = Kí o tó bẹ̀rẹ̀
register-need = Ohun tí o nílò
register-a-wallet = Wọ́lẹ́ẹ̀tì kan, lórí fóònù
register-the-wallet = Wọ́lẹ́ẹ̀tì { $wallet }, lórí fóònù
register-card = { $card } rẹ nínú rẹ̀
register-card-issued = { $card } rẹ, tí { $issuer } fún ọ, nínú rẹ̀
register-a-minute = Bí ìṣẹ́jú kan
register-asked = Ohun tí a ó béèrè, àti ìdí rẹ̀
register-terms = { $organisation } yóò rí àwọn wọ̀nyí àti orúkọ wọ́lẹ́ẹ̀tì rẹ, kò sì ní rí ohun mìíràn tó wà nínú rẹ̀. Lẹ́yìn náà, ìwọ yóò tẹ àdírẹ́sì ímeèlì àti nọ́ńbà fóònù rẹ. A ó pa gbogbo rẹ̀ mọ́ fún { $kept }, a ó sì pa á rẹ́; bí o kò bá parí, lẹ́yìn { $unfinished }. O ṣì lè kọ̀ nínú wọ́lẹ́ẹ̀tì.
register-whole-card = Àyàfi ohun kan: pẹ̀lú irú káàdì yìí, wọ́lẹ́ẹ̀tì rẹ máa ń fi gbogbo káàdì náà ránṣẹ́. A kì í pa ohun tí a kò kọ síbí mọ́.
register-agree = Mo gbà, fi kóòdù hàn mí
register-optional = kì í ṣe dandan
register-only-proven = { $condition }; iye náà gan-an wà nínú wọ́lẹ́ẹ̀tì rẹ
register-at-least = ó kéré tán { $value }
register-at-most = kò ju { $value } lọ
register-more-than = ó ju { $value } lọ
register-less-than = ó kéré sí { $value }

## The page of the code: what happens now, in one sentence

now-waiting = Fi wọ́lẹ́ẹ̀tì rẹ ka kóòdù náà
now-opened = Gba ìsopọ̀ náà nínú wọ́lẹ́ẹ̀tì rẹ
now-scanned = À ń sopọ̀ mọ́ { $wallet }
now-connected = A ti sopọ̀ mọ́ { $wallet }
now-requested = Wo { $wallet }
now-presented = O ti gbà, à ń yẹ̀ ẹ́ wò
now-verified = A ti fìdí rẹ̀ múlẹ̀
now-submitted = O ti forúkọ sílẹ̀
now-declined = O kọ̀ láti pín in
now-invalid = A kò lè fìdí káàdì náà múlẹ̀
now-abandoned = Wọ́lẹ́ẹ̀tì já ìsopọ̀ náà
now-expired = Àkókò ti parí
now-cancelled = A ti fagi lé e
now-failed = Ètò wọ́lẹ́ẹ̀tì kọ̀
now-your-wallet = wọ́lẹ́ẹ̀tì rẹ

## How the page is kept up to date

badge-connecting = Ó ń sopọ̀ …
badge-live = Ó wà lójú ẹsẹ̀
badge-polling = Ó ń wò ó ní ìṣẹ́jú-àáyá { $seconds } kọ̀ọ̀kan
badge-offline = Kò sí nẹ́tíwọ́ọ̀kì
connect-offline = Kò sí nẹ́tíwọ́ọ̀kì. Kò sí ohun tó sọnù: bí ó bá ti padà, ojú-ìwé yìí yóò tẹ̀ síwájú fúnra rẹ̀.
connect-crowded = Ìforúkọsílẹ̀ yìí ṣí ní ojú fèrèsé tó pọ̀ jù. Ti díẹ̀ nínú wọn; èyí ń bá a lọ, ṣùgbọ́n ó rọra díẹ̀.
refresh-by-itself = Ojú-ìwé yìí ń wá ìròyìn tuntun ní ìṣẹ́jú-àáyá díẹ̀ díẹ̀.
refresh-stop = Dá a dúró
refresh-now = Wá ìròyìn tuntun
connect-slow = Ètò wọ́lẹ́ẹ̀tì ń pẹ́ dáhùn. A ṣì ń gbìyànjú; o kò ní láti ṣe ohunkóhun.
connect-time-left = Àkókò tó kù:
connect-last-minute = Ó ku ìṣẹ́jú kan.

## The page of the code: what to do

connect-scan = Ṣí wọ́lẹ́ẹ̀tì lórí fóònù rẹ, kí o fi ka kóòdù náà.
connect-scan-with = Ṣí wọ́lẹ́ẹ̀tì { $wallet } lórí fóònù rẹ, kí o fi ka kóòdù náà.
connect-sandbox = Tábìlì yìí wà fún àdánwò: kámẹ́rà fóònù èyíkéyìí yóò ṣe é.
connect-sandbox-wallet = Ṣí wọ́lẹ́ẹ̀tì àdánwò ní táàbù mìíràn
connect-picture-of-code = Kóòdù tí wọ́lẹ́ẹ̀tì rẹ yóò kà
connect-enlarge = Mú kóòdù náà tóbi
connect-close = Tì í
connect-open-wallet = Ṣí wọ́lẹ́ẹ̀tì lórí fóònù yìí
connect-open-other-wallet = Ṣí wọ́lẹ́ẹ̀tì mìíràn lórí fóònù yìí
connect-other-phone = Ṣé wọ́lẹ́ẹ̀tì wà lórí fóònù mìíràn? Ka kóòdù:
connect-cannot-scan = Kò ṣeé kà?
connect-copy-link = Da ìlínkì yìí kọ sínú wọ́lẹ́ẹ̀tì rẹ:
connect-no-wallet = O kò tíì ní wọ́lẹ́ẹ̀tì?
connect-new-code = Kóòdù tuntun
connect-cancel = Fagi lé e
connect-scanned = Wọ́lẹ́ẹ̀tì rẹ àti { $organisation } ń mọ ara wọn. Yóò gba ìṣẹ́jú-àáyá díẹ̀.
connect-connected = Láìpẹ́ wọ́lẹ́ẹ̀tì rẹ yóò béèrè bóyá o fẹ́ pín { $card } rẹ.
connect-requested = Ó ń fi ohun tí { $organisation } béèrè hàn. Gbà á níbẹ̀, ojú-ìwé yìí yóò sì tẹ̀ síwájú fúnra rẹ̀.
connect-presented = { $card } rẹ ti dé. À ń fìdí àwọn ìbuwọ́lù rẹ̀ múlẹ̀.
connect-verified = { $card } rẹ jẹ́ ojúlówó. Ó ku àdírẹ́sì ímeèlì àti nọ́ńbà fóònù rẹ láti tẹ̀.
connect-to-the-form = Lọ sí fọ́ọ̀mù
connect-code = Kóòdù
connect-same-code = Wọ́lẹ́ẹ̀tì rẹ ń fi kóòdù yìí hàn pẹ̀lú ìbéèrè náà; bí ó bá fi òmíràn hàn, kọ̀ ọ́, nítorí ìbéèrè náà kì í ṣe tìrẹ.
connect-nothing-to-see = Kò sí ohun tí o rí nínú wọ́lẹ́ẹ̀tì rẹ?
connect-nothing-to-see-text = Ṣí i, kí o wo àwọn ìfiránṣẹ́ rẹ̀. Bí kò bá sí, béèrè lẹ́ẹ̀kan sí i, kí o sì dáhùn ìbéèrè tuntun jùlọ: èyí tó ní kóòdù tuntun. Tàbí kí o tún bẹ̀rẹ̀ pẹ̀lú kóòdù tuntun.
connect-ask-again = Béèrè lẹ́ẹ̀kan sí i
connect-no-card = Kò sí { $card } nínú wọ́lẹ́ẹ̀tì rẹ?
connect-no-card-ask = Béèrè lọ́wọ́ { $issuer } bí o ṣe lè fi í sínú wọ́lẹ́ẹ̀tì rẹ. Lẹ́yìn náà, padà wá kí o tún bẹ̀rẹ̀: o kò ní pàdánù ohunkóhun.
connect-other-wallet = Kì í ṣe wọ́lẹ́ẹ̀tì rẹ?
connect-other-wallet-text = Ó lè jẹ́ pé ẹlòmíràn ló ka kóòdù rẹ. Fagi lé e; a kò tíì pín ohunkóhun. Lẹ́yìn náà, tún bẹ̀rẹ̀ pẹ̀lú kóòdù tuntun, kí o má sì fi han ẹnikẹ́ni.

## The page of the code: when nothing happens for a while

hint-waiting = Kò sí ohun tó ń ṣẹlẹ̀? Mú kóòdù náà tóbi, tàbí gbé fóònù sẹ́yìn díẹ̀. Fóònù náà nílò íńtánẹ́ẹ̀tì pẹ̀lú.
hint-waiting-long = Kò tíì sí ohunkóhun? Ó lè jẹ́ pé wọ́lẹ́ẹ̀tì yìí kò lè ka kóòdù náà. Wo “Kò ṣeé kà?”, tàbí gba kóòdù tuntun.
hint-opened = Wọ́lẹ́ẹ̀tì rẹ ti ní kóòdù náà ṣùgbọ́n kò tíì sopọ̀. Ṣí i, kí o gba ìsopọ̀ náà níbẹ̀.
hint-opened-long = Kò tíì sopọ̀? Ti wọ́lẹ́ẹ̀tì náà, gba kóòdù tuntun níbí kí o kà á: àwọn wọ́lẹ́ẹ̀tì kan kì í gba kóòdù kan lẹ́ẹ̀mejì.
hint-connecting = Èyí ń pẹ́ ju bó ṣe yẹ lọ. Jẹ́ kí wọ́lẹ́ẹ̀tì rẹ wà ní ṣíṣí, kí fóònù rẹ̀ sì wà lórí íńtánẹ́ẹ̀tì.
hint-connecting-long = Kò tíì sí ohunkóhun? Fagi lé e, kí o tún bẹ̀rẹ̀ pẹ̀lú kóòdù tuntun. A kò tíì pín ohunkóhun.
hint-requested = Kò sí ohun tí o rí? Ṣí wọ́lẹ́ẹ̀tì rẹ kí o wo àwọn ìfiránṣẹ́ rẹ̀.
hint-requested-long = Kò tíì sí ohunkóhun? Wo ìsàlẹ̀: o lè jẹ́ kí a tún béèrè lọ́wọ́ wọ́lẹ́ẹ̀tì rẹ, tàbí kí o gba kóòdù tuntun.
hint-presented = Àyẹ̀wò náà ń pẹ́ ju bó ṣe yẹ lọ. O kò ní láti ṣe ohunkóhun.

## Ends, and the way on

end-declined = A kò pín ohunkóhun. Bí o bá ṣì fẹ́ forúkọ sílẹ̀, tún bẹ̀rẹ̀.
end-invalid = Ohun tí wọ́lẹ́ẹ̀tì rẹ fi ránṣẹ́ kì í ṣe { $card } tó tọ́. Rí i dájú pé káàdì náà jẹ́ tìrẹ, pé kò tíì parí, àti pé inú káàdì kan ni gbogbo rẹ̀ ti wá.
end-abandoned = Wọ́lẹ́ẹ̀tì dúró kí ó tó sopọ̀. Tún gbìyànjú, kí o sì gba ìsopọ̀ náà nígbà tí wọ́lẹ́ẹ̀tì bá béèrè.
end-expired = A kò parí ìforúkọsílẹ̀ yìí lákòókò, nítorí náà ó ti dópin. O lè tún bẹ̀rẹ̀.
end-cancelled = A ti fagi lé ìforúkọsílẹ̀ náà, kóòdù náà kò sì ṣiṣẹ́ mọ́.
end-failed = Ètò wọ́lẹ́ẹ̀tì kò gbà láti bá ìforúkọsílẹ̀ yìí lọ. A ti kọ ọ́ sílẹ̀. Tún gbìyànjú; bí ó bá tún ṣẹlẹ̀, sọ fún { $organisation }.
end-new-code = Tún gbìyànjú pẹ̀lú kóòdù tuntun
end-ask-my-wallet = Tún béèrè lọ́wọ́ wọ́lẹ́ẹ̀tì mi
end-each-value = Ohun tí ọ̀kọ̀ọ̀kan wà fún
end-submitted = O ti forúkọ sílẹ̀.
end-see-number = Wo nọ́ńbà rẹ

## What was shared, and the form

form-shared = Ohun tí o pín
form-proven-by = { $card } rẹ fìdí rẹ̀ múlẹ̀, { $organisation } sì ti mọ̀ ọ́n báyìí. Kò sí ohun tí o ní láti tẹ̀ nínú rẹ̀.
form-reach = Bí a ṣe lè rí ọ
form-reach-text = Káàdì kankan kò sọ èyí, nítorí náà ìwọ ni yóò tẹ̀ ẹ́. { $organisation } ń lò ó fún ìforúkọsílẹ̀ yìí nìkan.
form-faults = O kò tíì forúkọ sílẹ̀. Iye àyè tó nílò àtúnṣe: { $count }. Ohun tí o tẹ̀ ṣì wà níbẹ̀.
form-email = Àdírẹ́sì ímeèlì
form-email-hint = Fún àpẹẹrẹ amaka@example.org
form-phone = Nọ́ńbà fóònù
form-phone-hint = Pẹ̀lú nọ́ńbà orílẹ̀-èdè, fún àpẹẹrẹ +234 801 234 5678
form-register = Forúkọ sílẹ̀
form-missing = Nǹkan kan kù
form-missing-text = Wọ́lẹ́ẹ̀tì rẹ kò pín ohun tí { $organisation } nílò kí ó tó lè forúkọ rẹ sílẹ̀:
form-missing-way = Tún béèrè lọ́wọ́ wọ́lẹ́ẹ̀tì rẹ, kí o jẹ́ kí ó pín ìyẹn náà. Bí ó bá wà lórí { $card } nínú wọ́lẹ́ẹ̀tì mìíràn, tún bẹ̀rẹ̀ pẹ̀lú kóòdù tuntun.
form-not-shared = a kò pín in
form-not-shared-required = a kò pín in, dandan ni
form-proven = a ti fìdí rẹ̀ múlẹ̀
form-proven-stayed = a ti fìdí rẹ̀ múlẹ̀; iye náà gan-an wà nínú wọ́lẹ́ẹ̀tì rẹ
form-issued-by = Ẹni tó fúnni: { $issuer }
form-issuer-is = Ẹni tó fúnni ni
fault-email-missing = Tẹ àdírẹ́sì ímeèlì rẹ, bíi amaka@example.org.
fault-email-parts = Àdírẹ́sì ímeèlì ní orúkọ, @ kan àti ìkápá, bíi amaka@example.org.
fault-email-signs = Yọ àlàfo, àmì ìdánudúró, àkámọ́ àti irú wọn kúrò: àdírẹ́sì ímeèlì kì í ní wọn.
fault-email-dots = Yẹ àwọn àmì tó-tò wò: kò gbọdọ̀ bẹ̀rẹ̀ tàbí parí àdírẹ́sì, tàbí wà lẹ́gbẹ̀ẹ́ òmíràn tàbí @.
fault-email-domain = Yẹ ohun tó tẹ̀lé @ wò: ó gbọdọ̀ jẹ́ ìkápá, bíi example.org.
fault-email-long = Tẹ àdírẹ́sì ímeèlì tó kúrú: kò gbọdọ̀ ju àmì 64 lọ ṣáájú @ àti 254 lápapọ̀.
fault-phone-missing = Tẹ nọ́ńbà fóònù rẹ, bíi +234 801 234 5678.
fault-phone-signs = Lo nọ́ńbà nìkan: àlàfo, àmì tó-tò, àmì ìdásí àti àkámọ́ nìkan ló lè wà láàárín wọn.
fault-phone-country = Bẹ̀rẹ̀ pẹ̀lú + àti nọ́ńbà orílẹ̀-èdè, bíi +234 801 234 5678.
fault-phone-length = Yẹ iye nọ́ńbà wò: pẹ̀lú nọ́ńbà orílẹ̀-èdè, láti 7 sí 15 ni.

## The number

confirmation-heading = O ti forúkọ sílẹ̀
confirmation-number = Nọ́ńbà rẹ
confirmation-follows = Ohun tó kàn
confirmation-kept = Ohun tí a ń pa mọ́
confirmation-kept-text = Ohun tí o pín àti bí a ṣe lè rí ọ, fún { $kept }. Lẹ́yìn náà, a ó pa á rẹ́. Kọ nọ́ńbà náà sílẹ̀, tàbí tẹ ojú-ìwé yìí jáde: bíráwùsà yìí nìkan ló ń fi hàn.
confirmation-print = Tẹ̀ ẹ́ jáde

## A code's link, opened by a person

link-open-with = Fi { $wallet } ṣí èyí
link-for-a-wallet = Ìlínkì yìí wà fún wọ́lẹ́ẹ̀tì. Lórí fóònù tó ní { $wallet }, ṣí i níbí, tàbí tún ka kóòdù náà láti inú wọ́lẹ́ẹ̀tì.
link-open = Ṣí { $wallet }
link-gone = Kóòdù yìí kò ṣiṣẹ́ mọ́
link-gone-text = A ti lò ó, ó ti parí, tàbí èyí tuntun ti gba ipò rẹ̀. Padà sí ojú-ìwé tó fi hàn: ó ń sọ bí o ṣe lè tẹ̀ síwájú, ó sì ní kóòdù tuntun bí o bá nílò rẹ̀.

## Going on on another device

hand-over-heading = Tẹ̀ síwájú lórí ẹ̀rọ mìíràn
hand-over-text = Lórí ẹ̀rọ kejì, ṣí { $address } kí o sì tẹ kóòdù yìí. Ẹ̀ẹ̀kan ṣoṣo ló ń ṣiṣẹ́, láàárín { $life }.
hand-over-code = Kóòdù
hand-over-scan = Tàbí kí o fi kámẹ́rà ẹ̀rọ kejì ka èyí:
hand-over-back = Padà sí ìforúkọsílẹ̀
continue-heading = Tẹ̀ síwájú níbí
continue-text = Tẹ kóòdù tí ẹ̀rọ rẹ kejì ń fi hàn. Tẹ̀ síwájú pẹ̀lú ìforúkọsílẹ̀ tí ìwọ fúnra rẹ bẹ̀rẹ̀ nìkan.
continue-go = Tẹ̀ síwájú
continue-wrong = Kóòdù yìí kò tọ́, tàbí àkókò rẹ̀ ti parí. Gba tuntun lórí ẹ̀rọ kejì.
