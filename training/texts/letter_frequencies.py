"""Letters of languages by how often they are written, for telling encodings apart.

Small letters from the commonest, only what is not ASCII. Knows nothing of bytes.
"""

ENGLISH = "éèæêëïœöüçàâôñáíóåäøúîû"  # of its loans and old spellings
WESTERN = (
    "éàèêçùâîôûëïüœæÿ",  # French
    "äüößéà",  # German
    "óíáéñúü",  # Spanish
    "ãçáéóíêõúàâôü",  # Portuguese
    "èàìòùéîóíú",  # Italian
    "äöåéüàèøæ",  # Swedish, Finnish
    "åøæéòôóä",  # Danish, Norwegian
    "íáðéóæöúýþ",  # Icelandic
    "éëïóèüêöáíûâçñà",  # Dutch
    ENGLISH,
)
CENTRAL = (
    "ąęłóśżćńźé",  # Polish
    "íáéěýřčžšůúňťďó",  # Czech
    "áíéýčžšťľúňďôóäĺŕ",  # Slovak
    "áéőóöíüúűä",  # Hungarian
    "čšžćđ",  # Croatian, Slovene
    "ăîâşţ",  # Romanian, with cedillas
)
TURKISH = ("ıüşğöçâîû",)
BALTIC = ("ėšųžūįąčęõäöüāēīļņķģ",)
CYRILLIC = ("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", "оаинітевркслдмупяьзбгчйшїжєхюцщфґ")
GREEK = ("αοιετσνηυρπκμλςίόγάέδήωώχθύφβξζψϊϋΐΰ",)
HEBREW = ("יוהלאמרתבשנםעדחקפטכגזןסצךףץ",)
ARABIC = ("ايلمونرتبةعدفهسكقأحجشصخضىذئءطغآزإظؤثپچگيک",)
THAI = ("านรกอเงมยลวดทสตะปบคหจแพชขใโไผศณซถฟภธญษิี่้ัุ์็ูืึ๊๋",)

# Characters that most pages have; those that traditional writing has of its own come last.
HANZI = (
    "的一是不了人我在有他中大上到和子你地出道也年得就那要下以生自着去之家可她里小么心多天而能好都然日于起"
    "成事只作想看文手十用主行方如前所本三已月山水花春秋冬夏风雨云江河海夜白黑明青红金石雪酒君臣客相见思归"
    "此何无为来国说时会对后过学开经头面动两长东"
    "這來國個說們為時會對後麼過學無開見經頭長風雲東歸還"
)
HANGUL = "이다는에의가을하고지도은나를리서사한로기어자그아인해대내라시있보들여마수일부주우세네바람"
