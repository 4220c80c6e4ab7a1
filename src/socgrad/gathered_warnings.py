"""What several fits warn of, said once and by the name of each."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from socgrad.errors import SocgradWarning

__all__ = ["GatheredWarnings"]

_PACKAGE: Final = (str(Path(__file__).parent),)


class GatheredWarnings:
    """Warnings of socgrad by their kind and by what they are of; others pass as they are."""

    def __init__(self) -> None:
        self._said: dict[type[Warning], dict[Any, list[str]]] = {}

    @contextmanager
    def of(self, label: object) -> Iterator[None]:
        """Keep what is warned of within, as being of this label; the same words once."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SocgradWarning)
            yield
        for one in caught:
            if issubclass(one.category, SocgradWarning):
                said = self._said.setdefault(one.category, {}).setdefault(label, [])
                if str(one.message) not in said:
                    said.append(str(one.message))
            else:
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)

    def say(self, number: int, things: str) -> None:
        """Warn once for each kind, in words such as "In 2 of 5 strata: ..."."""
        for category, words in self._said.items():
            named = " ".join(f"[{label}] {' '.join(said)}" for label, said in words.items())
            warnings.warn(
                f"In {len(words)} of {number} {things}: {named}",
                category,
                skip_file_prefixes=_PACKAGE,
            )
