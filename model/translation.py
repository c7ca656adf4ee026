"""The sentences that users read: in English, unless the window chose another language.

`_` and `ngettext` mark a sentence for translators and translate it. What a module of `model`, `presets` or
`realtime` has as a constant is marked with `N_` and translated where it is used: the window chooses later.
"""

import os
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "translations"  # a .po for each language, and its .mo
ORIGINAL = "en"
VARIABLE = "MASKSR_TRANSLATION"  # the .mo in use, as processes started later learn it


def use_translation(compiled: Path) -> None:
    """Speak the language of that .mo file from now on, here and in processes started later."""
    os.environ[VARIABLE] = str(compiled)
    _translation.cache_clear()


def language() -> str:
    """The one in use, as the name of its file has it."""
    return Path(os.environ.get(VARIABLE, ORIGINAL)).stem


def _(sentence: str, /, **values: object) -> str:
    """`sentence` in the user's language, with `values` where its braces name them."""
    translated = _translation().gettext(sentence)
    return translated.format(**values) if values else translated


def N_(sentence: str) -> str:  # noqa: N802  # as everywhere with gettext
    return sentence


def ngettext(one: str, several: str, count: int, /, **values: object) -> str:
    """The same in the form that `count`, which braces name too, asks for."""
    return _translation().ngettext(one, several, count).format(count=count, **values)


@cache
def _translation() -> NullTranslations:
    if VARIABLE not in os.environ:
        return NullTranslations()
    with Path(os.environ[VARIABLE]).open("rb") as compiled:
        return GNUTranslations(compiled)
