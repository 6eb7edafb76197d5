### The texts of the pages, in English: what the other languages are made from, and what is shown where one lacks a text.
### The form is Fluent's (projectfluent.org/fluent/guide). The compiler holds keys and values against this file; a test
### holds the other files against it.

## Around every page

layout-skip = Skip to the content
layout-progress = Progress
layout-agree = Agree
layout-connect = Connect
layout-your-data = Your data
layout-done = Done
layout-language = Language
layout-unreviewed = Nobody whose first language this is has looked at this translation yet.

## Lengths and points of time

time-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
time-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
time-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
time-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
time-date = { $day } { $month } { $year }, { $time } UTC
time-month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}

## What went wrong, and the way on

problem-no-code = The wallet platform does not answer at the moment, so there is no code. Nothing is lost: try again in a minute.
problem-no-new-code = The wallet platform does not answer at the moment, so there is no new code. Nothing is lost: try again in a minute.
problem-busy = There were many tries from your network just now. Wait a minute, then try again.
problem-server = Something went wrong on our side, and it has been noted. Try again in a minute.
problem-cookies = Your browser did not keep the cookie by which this page knows you again. Allow cookies for this page, or open it outside of private mode, and try again.
problem-not-stored = Your registration could not be stored just now, and this has been noted. Nothing is lost: try again in a minute.
not-found-title = Not found
not-found = There is no such page
not-found-text = The address may be mistyped or old. A registration that is under way is not lost: it is where it was.
to-the-start = To the start
broken-title = Not available
broken = This page cannot be shown just now
broken-text = Something went wrong on our side, and it has been noted. Nothing you did is lost: try again in a minute.
number-of-request = If you tell us about it, this number helps: { $id }
try-again = Try again

## The first page, and the page of consent

home-begin = Begin
register-heading = Before you begin
register-need = What you need
register-a-wallet = A wallet, on a phone
register-the-wallet = The { $wallet } wallet, on a phone
register-card = Your { $card } in it
register-card-issued = Your { $card }, issued by { $issuer }, in it
register-a-minute = About a minute
register-asked = What will be asked, and why
register-terms = { $organisation } sees these values and the name of your wallet, and nothing else of what is in it. Afterwards you type your e-mail address and your phone number. All of it is kept for { $kept } and then deleted; if you do not finish, after { $unfinished }. You can still decline in the wallet.
register-whole-card = One exception: of this kind of card your wallet sends all of it. What is not listed here is not kept.
register-agree = I agree, show me the code
register-optional = optional
register-only-proven = { $condition }; the value itself stays in your wallet
register-at-least = at least { $value }
register-at-most = at most { $value }
register-more-than = more than { $value }
register-less-than = less than { $value }

## The page of the code: what happens now, in one sentence

now-waiting = Scan the code with your wallet
now-opened = Accept the connection in your wallet
now-scanned = Connecting to { $wallet }
now-connected = Connected to { $wallet }
now-requested = Look at { $wallet }
now-presented = Approved, being checked
now-verified = Verified
now-submitted = Registered
now-declined = You declined to share
now-invalid = That card could not be verified
now-abandoned = The wallet broke the connection off
now-expired = Time ran out
now-cancelled = Cancelled
now-failed = The platform refused
now-your-wallet = your wallet

## How the page is kept up to date

badge-connecting = Connecting …
badge-live = Live
badge-polling = Checking every { $seconds } s
badge-offline = Offline
connect-offline = You are offline. Nothing is lost: once the network is back, this page goes on by itself.
connect-crowded = This registration is open in more windows than can be live at once. Close some of them; this one goes on, only a little slower.
refresh-by-itself = This page looks for news every few seconds.
refresh-stop = Stop that
refresh-now = Look for news
connect-slow = The wallet platform is slow to answer. The desk goes on trying; you do not have to do anything.
connect-time-left = Time left:
connect-last-minute = One minute is left.

## The page of the code: what to do

connect-scan = Open the wallet on your phone and scan.
connect-scan-with = Open the { $wallet } wallet on your phone and scan.
connect-sandbox = This desk runs with the sandbox: any phone camera will do.
connect-sandbox-wallet = Open the simulated wallet in a second tab
connect-picture-of-code = Code to scan with your wallet
connect-enlarge = Enlarge the code
connect-close = Close
connect-open-wallet = Open the wallet on this phone
connect-open-other-wallet = Open another wallet on this phone
connect-other-phone = Is the wallet on another phone? Scan:
connect-cannot-scan = Cannot scan?
connect-copy-link = Copy this link into your wallet:
connect-no-wallet = No wallet yet?
connect-new-code = New code
connect-cancel = Cancel
connect-scanned = Your wallet and { $organisation } are getting acquainted. This takes a few seconds.
connect-connected = In a moment your wallet asks whether you want to share your { $card }.
connect-requested = It shows what { $organisation } asks for. Approve it there, and this page goes on by itself.
connect-presented = Your { $card } arrived. Its signatures are being confirmed.
connect-verified = Your { $card } is genuine. Only your e-mail address and your phone number are left to type.
connect-to-the-form = Go on to the form
connect-code = Code
connect-same-code = Your wallet shows this code with the request; if it shows another one, decline, because that request is not yours.
connect-nothing-to-see = Nothing to see in your wallet?
connect-nothing-to-see-text = Open it and look for its messages. If there is none, ask again, and answer the newest request: the one with the new code. Or begin again with a new code to scan.
connect-ask-again = Ask again
connect-no-card = No { $card } in your wallet?
connect-no-card-ask = Ask { $issuer } how to get it into your wallet. Then come back and begin again: nothing is lost by it.
connect-other-wallet = Not your wallet?
connect-other-wallet-text = Somebody else may have scanned your code. Cancel; nothing has been shared. Then begin again with a new code, and keep it to yourself.

## The page of the code: when nothing happens for a while

hint-waiting = Nothing happens? Enlarge the code, or hold the phone a little further away. The phone needs the internet too.
hint-waiting-long = Still nothing? This wallet may not be able to read the code. Look under “Cannot scan?”, or take a new code.
hint-opened = Your wallet has the code but has not connected yet. Unlock it, and accept the connection there.
hint-opened-long = Still not connected? Close the wallet, take a new code here and scan that: some wallets take no code twice.
hint-connecting = This takes longer than usual. Keep your wallet open, and its phone on the internet.
hint-connecting-long = Still nothing? Cancel, and begin again with a new code. Nothing has been shared.
hint-requested = Nothing to see? Unlock your wallet and look among its messages.
hint-requested-long = Still nothing? Look below: you can have your wallet asked again, or take a new code.
hint-presented = The check takes longer than usual. You do not have to do anything.

## Ends, and the way on

end-declined = Nothing was shared. If you want to register after all, begin again.
end-invalid = What your wallet sent is not a valid { $card }. Make sure that the card is yours, that it has not expired, and that all values come from one card.
end-abandoned = The wallet stopped before it was connected. Try once more, and accept the connection when the wallet asks.
end-expired = This registration was not finished in time, so it has ended. You can begin again.
end-cancelled = The registration is cancelled, and the code no longer works.
end-failed = The wallet platform would not go on with this registration. It has been noted. Try once more; if it happens again, tell { $organisation }.
end-new-code = Try again with a new code
end-ask-my-wallet = Ask my wallet again
end-each-value = What each value is for
end-submitted = You are registered.
end-see-number = See your number

## What was shared, and the form

form-shared = What you shared
form-proven-by = Proven by your { $card }, and now known to { $organisation }. Nothing of it had to be typed.
form-reach = How to reach you
form-reach-text = No card says this, so you type it. { $organisation } uses it for this registration only.
form-faults = { $count ->
    [one] You are not registered yet. One field has to be mended; what you typed is still there.
   *[other] You are not registered yet. Two fields have to be mended; what you typed is still there.
}
form-email = E-mail address
form-email-hint = For example amaka@example.org
form-phone = Phone number
form-phone-hint = With the country's number, for example +234 801 234 5678
form-register = Register
form-missing = Something is missing
form-missing-text = Your wallet did not share what { $organisation } cannot register you without:
form-missing-way = Ask your wallet again, and let it share that too. If it is on the { $card } in another wallet, begin again with a new code.
form-not-shared = not shared
form-not-shared-required = not shared, required
form-proven = proven
form-proven-stayed = proven; the value itself stayed in your wallet
form-issued-by = Issued by { $issuer }
form-issuer-is = The issuer is
fault-email-missing = Type your e-mail address, as in amaka@example.org.
fault-email-parts = An e-mail address has a name, one @ and a domain, as in amaka@example.org.
fault-email-signs = Take out blanks, commas, brackets and the like: an e-mail address has none.
fault-email-dots = Check the dots: none may begin or end the address or stand beside another dot or the @.
fault-email-domain = Check what follows the @: it has to be a domain, as in example.org.
fault-email-long = Type a shorter e-mail address: at most 64 characters before the @ and 254 in all can be used.
fault-phone-missing = Type your phone number, as in +234 801 234 5678.
fault-phone-signs = Use digits alone: only blanks, dots, dashes and parentheses may stand between them.
fault-phone-country = Begin with + and the country's number, as in +234 801 234 5678.
fault-phone-length = Check the number of digits: with the country's number there are 7 to 15.

## The number

confirmation-heading = You are registered
confirmation-number = Your number
confirmation-follows = What follows
confirmation-kept = What is kept
confirmation-kept-text = What you shared and how to reach you, for { $kept }. Then it is deleted. Note the number, or print this page: it is shown in this browser alone.
confirmation-print = Print

## A code's link, opened by a person

link-open-with = Open this with { $wallet }
link-for-a-wallet = This link is for a wallet. On the phone that has { $wallet }, open it here, or scan the code again from inside the wallet.
link-open = Open { $wallet }
link-gone = This code is no longer valid
link-gone-text = It was used, it expired, or a newer one took its place. Go back to the page that showed it: it says how to go on, and has a new code if you need one.

## Going on on another device

hand-over-heading = Continue on another device
hand-over-text = On the other device, open { $address } and type this code. It works once, within { $life }.
hand-over-code = Code
hand-over-scan = Or scan this with the other device's camera:
hand-over-back = Back to the registration
continue-heading = Continue here
continue-text = Type the code that your other device shows. Go on only with a registration that you began yourself.
continue-go = Continue
continue-wrong = This code is not right, or its time is over. Get a new one on the other device.
