"""Words that verse may leave unstressed: articles, prepositions, pronouns, auxiliaries and kin."""

_LIST = """
a an the th' th and or nor but yet so for if as than that though tho tho' lest ere till til 'til
since while whilst when where whence why how because unless until whether at by from in into of o'
o off on upon 'pon onto out to unto up with with' down through thro' thro thru over o'er under
'neath near past round 'round about amid 'mid among 'mong against 'gainst between before behind
below beneath beside beyond after above without within toward towards across along like save per
via i me my mine we us our ours you your yours ye thou thee thy thine he him his she her hers it
its they them 'em their theirs who whom whose which what this these those such one some any each
all both none no not myself thyself himself herself itself ourselves yourself themselves am is are
art was were wast wert be been being have has had hast hath hadst do does did dost doth didst can
could canst couldst may might mayst mightst must shall should shalt shouldst will would wilt
wouldst let there here then thus too now just ever e'er never ne'er even e'en still oh ah lo i'm
i'll i've i'd we'll we've we're we'd you'll you've you're you'd thou'rt thou'lt thou'st he's he'll
he'd she's she'll she'd it's it'll 'tis 'twas 'twere 'twill 'twould they'll they've they're they'd
that's there's here's who's what's where's can't don't won't didn't isn't wasn't aren't i' wi' an'
't
"""
_FUNCTION_WORDS = frozenset(_LIST.split())


def is_function_word(word: str) -> bool:
    """Check whether a word, in any case and with straight apostrophes, may go unstressed."""
    return word.lower() in _FUNCTION_WORDS
