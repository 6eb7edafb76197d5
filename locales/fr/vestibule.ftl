### Les textes des pages en français. Les clés et les valeurs sont celles de en/vestibule.ftl.

## Autour de chaque page

layout-skip = Aller au contenu
layout-progress = Progression
layout-agree = Accord
layout-connect = Connexion
layout-your-data = Vos données
layout-done = Terminé
layout-language = Langue
layout-unreviewed = Personne dont c’est la langue maternelle n’a encore relu cette traduction.

## Durées et moments

time-days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}
time-hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
time-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
time-seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
}
time-date = { $day } { $month } { $year }, { $time } UTC
time-month = { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
}

## Ce qui n’a pas marché, et comment continuer

problem-no-code = La plateforme du portefeuille ne répond pas pour le moment, il n’y a donc pas de code. Rien n’est perdu : réessayez dans une minute.
problem-no-new-code = La plateforme du portefeuille ne répond pas pour le moment, il n’y a donc pas de nouveau code. Rien n’est perdu : réessayez dans une minute.
problem-busy = Il y a eu beaucoup d’essais depuis votre réseau à l’instant. Attendez une minute, puis réessayez.
problem-server = Une erreur s’est produite de notre côté, et elle a été notée. Réessayez dans une minute.
problem-cookies = Votre navigateur n’a pas gardé le cookie auquel cette page vous reconnaît. Autorisez les cookies pour cette page, ou ouvrez-la hors de la navigation privée, puis réessayez.
problem-not-stored = Votre inscription n’a pas pu être enregistrée à l’instant, et cela a été noté. Rien n’est perdu : réessayez dans une minute.
not-found-title = Page introuvable
not-found = Cette page n’existe pas
not-found-text = L’adresse est peut-être mal saisie ou ancienne. Une inscription en cours n’est pas perdue : elle est là où elle était.
to-the-start = Retour au début
broken-title = Indisponible
broken = Cette page ne peut pas être affichée pour l’instant
broken-text = Une erreur s’est produite de notre côté, et elle a été notée. Rien de ce que vous avez fait n’est perdu : réessayez dans une minute.
number-of-request = Si vous nous en parlez, ce numéro nous aide : { $id }
try-again = Réessayer

## La première page, et celle de l’accord

home-begin = Commencer
register-heading = Avant de commencer
register-need = Ce qu’il vous faut
register-a-wallet = Un portefeuille numérique, sur un téléphone
register-the-wallet = Le portefeuille { $wallet }, sur un téléphone
register-card = Dans ce portefeuille : { $card }
register-card-issued = Dans ce portefeuille : { $card }, document émis par { $issuer }
register-a-minute = Une minute environ
register-asked = Ce qui sera demandé, et pourquoi
register-terms = { $organisation } voit ces valeurs et le nom de votre portefeuille, et rien d’autre de ce qu’il contient. Ensuite, vous saisissez votre adresse électronique et votre numéro de téléphone. Le tout est conservé pendant { $kept }, puis supprimé ; si vous n’allez pas au bout, au bout de { $unfinished }. Vous pouvez encore refuser dans le portefeuille.
register-whole-card = Une exception : de ce type de carte, votre portefeuille envoie la totalité. Ce qui n’est pas indiqué ici n’est pas conservé.
register-agree = J’accepte, afficher le code
register-optional = facultatif
register-only-proven = { $condition } ; la valeur elle-même reste dans votre portefeuille
register-at-least = au moins { $value }
register-at-most = au plus { $value }
register-more-than = plus de { $value }
register-less-than = moins de { $value }

## La page du code : ce qui se passe, en une phrase

now-waiting = Scannez le code avec votre portefeuille
now-opened = Acceptez la connexion dans votre portefeuille
now-scanned = Connexion à { $wallet }
now-connected = Connecté à { $wallet }
now-requested = Regardez { $wallet }
now-presented = Approuvé, vérification en cours
now-verified = Vérifié
now-submitted = Inscription faite
now-declined = Vous avez refusé le partage
now-invalid = Ce document n’a pas pu être vérifié
now-abandoned = Le portefeuille a interrompu la connexion
now-expired = Le délai est écoulé
now-cancelled = Annulé
now-failed = La plateforme a refusé
now-your-wallet = votre portefeuille

## Comment la page est tenue à jour

badge-connecting = Connexion …
badge-live = En direct
badge-polling = Vérifié toutes les { $seconds } s
badge-offline = Hors ligne
connect-offline = Vous êtes hors ligne. Rien n’est perdu : dès que le réseau revient, cette page continue d’elle-même.
connect-crowded = Cette inscription est ouverte dans trop de fenêtres pour que toutes soient en direct. Fermez-en quelques-unes ; celle-ci continue, seulement un peu plus lentement.
refresh-by-itself = Cette page cherche des nouvelles toutes les quelques secondes.
refresh-stop = Arrêter cela
refresh-now = Chercher des nouvelles
connect-slow = La plateforme du portefeuille tarde à répondre. Le guichet continue d’essayer ; vous n’avez rien à faire.
connect-time-left = Temps restant :
connect-last-minute = Il reste une minute.

## La page du code : que faire

connect-scan = Ouvrez le portefeuille sur votre téléphone et scannez.
connect-scan-with = Ouvrez le portefeuille { $wallet } sur votre téléphone et scannez.
connect-sandbox = Ce guichet fonctionne avec le bac à sable : l’appareil photo de n’importe quel téléphone convient.
connect-sandbox-wallet = Ouvrir le portefeuille simulé dans un autre onglet
connect-picture-of-code = Code à scanner avec votre portefeuille
connect-enlarge = Agrandir le code
connect-close = Fermer
connect-open-wallet = Ouvrir le portefeuille sur ce téléphone
connect-open-other-wallet = Ouvrir un autre portefeuille sur ce téléphone
connect-other-phone = Le portefeuille est sur un autre téléphone ? Scannez :
connect-cannot-scan = Impossible de scanner ?
connect-copy-link = Copiez ce lien dans votre portefeuille :
connect-no-wallet = Pas encore de portefeuille ?
connect-new-code = Nouveau code
connect-cancel = Annuler
connect-scanned = Votre portefeuille et { $organisation } font connaissance. Cela prend quelques secondes.
connect-connected = Dans un instant, votre portefeuille vous demandera si vous voulez partager : { $card }.
connect-requested = Il montre ce que demande { $organisation }. Donnez-y votre accord, et cette page continue d’elle-même.
connect-presented = Document reçu : { $card }. Ses signatures sont en cours de vérification.
connect-verified = Document authentique : { $card }. Il ne reste à saisir que votre adresse électronique et votre numéro de téléphone.
connect-to-the-form = Passer au formulaire
connect-code = Code
connect-same-code = Votre portefeuille montre ce code avec la demande ; s’il en montre un autre, refusez, car cette demande n’est pas la vôtre.
connect-nothing-to-see = Rien à voir dans votre portefeuille ?
connect-nothing-to-see-text = Ouvrez-le et cherchez ses messages. S’il n’y en a pas, demandez de nouveau et répondez à la demande la plus récente : celle qui porte le nouveau code. Ou recommencez avec un nouveau code à scanner.
connect-ask-again = Demander de nouveau
connect-no-card = Rien de tel dans votre portefeuille ({ $card }) ?
connect-no-card-ask = Demandez à { $issuer } comment l’y mettre. Revenez ensuite et recommencez : vous n’y perdez rien.
connect-other-wallet = Ce n’est pas votre portefeuille ?
connect-other-wallet-text = Quelqu’un d’autre a peut-être scanné votre code. Annulez ; rien n’a été partagé. Recommencez ensuite avec un nouveau code, et gardez-le pour vous.

## La page du code : quand rien ne se passe

hint-waiting = Rien ne se passe ? Agrandissez le code, ou éloignez un peu le téléphone. Il lui faut aussi une connexion à Internet.
hint-waiting-long = Toujours rien ? Ce portefeuille ne sait peut-être pas lire le code. Voyez sous « Impossible de scanner ? », ou prenez un nouveau code.
hint-opened = Votre portefeuille a le code, mais n’est pas encore connecté. Déverrouillez-le et acceptez-y la connexion.
hint-opened-long = Toujours pas connecté ? Fermez le portefeuille, prenez ici un nouveau code et scannez-le : certains portefeuilles ne prennent pas deux fois le même code.
hint-connecting = Cela prend plus de temps que d’habitude. Gardez votre portefeuille ouvert, et son téléphone connecté à Internet.
hint-connecting-long = Toujours rien ? Annulez, et recommencez avec un nouveau code. Rien n’a été partagé.
hint-requested = Rien à voir ? Déverrouillez votre portefeuille et regardez parmi ses messages.
hint-requested-long = Toujours rien ? Voyez ci-dessous : vous pouvez faire redemander à votre portefeuille, ou prendre un nouveau code.
hint-presented = La vérification prend plus de temps que d’habitude. Vous n’avez rien à faire.

## Les fins, et comment continuer

end-declined = Rien n’a été partagé. Si vous voulez tout de même vous inscrire, recommencez.
end-invalid = Ce que votre portefeuille a envoyé n’est pas valable ({ $card }). Assurez-vous que le document est le vôtre, qu’il n’a pas expiré et que toutes les valeurs viennent du même document.
end-abandoned = Le portefeuille s’est arrêté avant d’être connecté. Essayez encore une fois, et acceptez la connexion quand le portefeuille la propose.
end-expired = Cette inscription n’a pas été terminée à temps, elle a donc pris fin. Vous pouvez recommencer.
end-cancelled = L’inscription est annulée, et le code ne fonctionne plus.
end-failed = La plateforme du portefeuille n’a pas voulu poursuivre cette inscription. Cela a été noté. Essayez encore une fois ; si cela se reproduit, dites-le à { $organisation }.
end-new-code = Réessayer avec un nouveau code
end-ask-my-wallet = Demander de nouveau à mon portefeuille
end-each-value = À quoi sert chaque valeur
end-submitted = Votre inscription est faite.
end-see-number = Voir votre numéro

## Ce qui a été partagé, et le formulaire

form-shared = Ce que vous avez partagé
form-proven-by = Prouvé par votre portefeuille ({ $card }) et désormais connu de { $organisation }. Rien n’a dû être saisi.
form-reach = Comment vous joindre
form-reach-text = Aucun document ne le dit, c’est donc à vous de le saisir. { $organisation } ne s’en sert que pour cette inscription.
form-faults = { $count ->
    [one] Votre inscription n’est pas encore faite. Un champ est à corriger ; ce que vous avez saisi est toujours là.
   *[other] Votre inscription n’est pas encore faite. Deux champs sont à corriger ; ce que vous avez saisi est toujours là.
}
form-email = Adresse électronique
form-email-hint = Par exemple amaka@example.org
form-phone = Numéro de téléphone
form-phone-hint = Avec l’indicatif du pays, par exemple +234 801 234 5678
form-register = S’inscrire
form-missing = Il manque quelque chose
form-missing-text = Votre portefeuille n’a pas partagé ce sans quoi { $organisation } ne peut pas vous inscrire :
form-missing-way = Demandez de nouveau à votre portefeuille, et laissez-le partager cela aussi. Si cela se trouve dans un autre portefeuille ({ $card }), recommencez avec un nouveau code.
form-not-shared = non partagé
form-not-shared-required = non partagé, obligatoire
form-proven = prouvé
form-proven-stayed = prouvé ; la valeur elle-même est restée dans votre portefeuille
form-issued-by = Émis par { $issuer }
form-issuer-is = L’émetteur est
fault-email-missing = Saisissez votre adresse électronique, comme amaka@example.org.
fault-email-parts = Une adresse électronique a un nom, un seul @ et un domaine, comme amaka@example.org.
fault-email-signs = Retirez les espaces, virgules, parenthèses et autres : une adresse électronique n’en a pas.
fault-email-dots = Vérifiez les points : aucun ne peut commencer ou finir l’adresse, ni se trouver à côté d’un autre point ou du @.
fault-email-domain = Vérifiez ce qui suit le @ : ce doit être un domaine, comme example.org.
fault-email-long = Saisissez une adresse électronique plus courte : au plus 64 caractères avant le @ et 254 en tout.
fault-phone-missing = Saisissez votre numéro de téléphone, comme +234 801 234 5678.
fault-phone-signs = N’utilisez que des chiffres : seuls des espaces, points, tirets et parenthèses peuvent les séparer.
fault-phone-country = Commencez par + et l’indicatif du pays, comme +234 801 234 5678.
fault-phone-length = Vérifiez le nombre de chiffres : avec l’indicatif du pays, il y en a de 7 à 15.

## Le numéro

confirmation-heading = Votre inscription est faite
confirmation-number = Votre numéro
confirmation-follows = La suite
confirmation-kept = Ce qui est conservé
confirmation-kept-text = Ce que vous avez partagé et comment vous joindre, pendant { $kept }. Ensuite, tout est supprimé. Notez le numéro ou imprimez cette page : elle ne s’affiche que dans ce navigateur.
confirmation-print = Imprimer

## Le lien d’un code, ouvert par une personne

link-open-with = Ouvrez ceci avec { $wallet }
link-for-a-wallet = Ce lien est destiné à un portefeuille. Sur le téléphone où se trouve { $wallet }, ouvrez-le ici, ou scannez de nouveau le code depuis le portefeuille.
link-open = Ouvrir { $wallet }
link-gone = Ce code n’est plus valable
link-gone-text = Il a servi, il a expiré, ou un plus récent l’a remplacé. Retournez à la page qui le montrait : elle dit comment continuer, et donne un nouveau code s’il vous en faut un.

## Continuer sur un autre appareil

hand-over-heading = Continuer sur un autre appareil
hand-over-text = Sur l’autre appareil, ouvrez { $address } et saisissez ce code. Il sert une seule fois, dans un délai de { $life }.
hand-over-code = Code
hand-over-scan = Ou scannez ceci avec l’appareil photo de l’autre appareil :
hand-over-back = Retour à l’inscription
continue-heading = Continuer ici
continue-text = Saisissez le code que montre votre autre appareil. Ne continuez que si vous avez vous-même commencé cette inscription.
continue-go = Continuer
continue-wrong = Ce code n’est pas le bon, ou son délai est écoulé. Demandez-en un nouveau sur l’autre appareil.
