"""Spellings of labels: which look alike and are not, and which cannot be read.

Two sources write one name in two ways that a reader cannot tell apart: a no-break space, an accent
of its own, a curly apostrophe, a Cyrillic letter. Joined by label they are two places.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

__all__ = ["are_plain", "folded", "is_unreadable", "other_alphabets"]

#: Alphabets with letters that look like those of another.
_ALIKE: Final = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "COPTIC", "CHEROKEE"})
#: Quotes and dashes that sources choose between.
_PUNCTUATION: Final = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u0060\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u201f\u2033", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
)
#: Marks without a look of their own that are not of the category of format characters.
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)


def are_plain(texts: Sequence[str]) -> bool:
    """Say so of texts in printable ASCII, quickly: nothing but case and spaces can be alike."""
    joined = "".join(texts)
    return joined.isascii() and joined.isprintable() and "`" not in joined


def folded(text: str) -> str:
    r"""Fold a label to what a reader sees of it: compatible forms, case, spaces, quotes, dashes.

    Examples
    --------
    >>> from socgrad.door.spelling import folded
    >>> folded("Ynys\u00a0Mo\u0302n ") == folded("ynys  m\u00f4n")
    True
    """
    # Quotes first: the compatible form of a lone accent is a space and a combining mark.
    form = unicodedata.normalize("NFKC", text.translate(_PUNCTUATION)).casefold()
    form = unicodedata.normalize("NFKC", form).translate(_PUNCTUATION)
    seen = "".join(
        letter
        for letter in form
        if letter.isspace() or not (letter in _UNSEEN or unicodedata.category(letter) == "Cf")
    )
    return " ".join(seen.split())


def is_unreadable(text: str) -> bool:
    """Say whether a label has control characters or halves of characters, as no name has."""
    return any(
        unicodedata.category(letter) in {"Cc", "Cs"} and not letter.isspace() for letter in text
    )


def other_alphabets(texts: Sequence[str]) -> dict[str, str]:
    """Labels with letters of an alphabet that most of them have not, and the first such letter.

    Only of alphabets that share the looks of letters, such as Latin, Greek and Cyrillic.
    """
    letters = {text: _alphabets(text) for text in texts if not text.isascii()}
    number = Counter(name for its in letters.values() for name in its)
    plain = sum(text.isascii() and any(map(str.isalpha, text)) for text in texts)
    number["LATIN"] += plain
    if len(+number) < 2:
        return {}
    rare = {name for name in number if 2 * number[name] < len(texts)}
    return {
        text: next(its[name] for name in its if name in rare)
        for text, its in letters.items()
        if rare & its.keys()
    }


def _alphabets(text: str) -> dict[str, str]:
    """Alphabets of a label's letters, each with the name of its first letter."""
    found: dict[str, str] = {}
    for letter in unicodedata.normalize("NFKC", text):
        if letter.isalpha():
            name = unicodedata.name(letter, "")
            alphabet = name.split(" ")[0]
            if alphabet in _ALIKE:
                found.setdefault(alphabet, name)
    return found
