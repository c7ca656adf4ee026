"""The language of the window: the first of the user's languages for which there is a translation."""

from itertools import takewhile
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from model.translation import FOLDER, ORIGINAL, language, use_translation


def choose_language(folder: Path = FOLDER) -> None:
    """To be called before `gui.text` is imported, which is made in one language."""
    wanted = (name.replace("-", "_") for name in QLocale.system().uiLanguages())
    foreign = takewhile(lambda name: name.split("_")[0] != ORIGINAL, wanted)
    compiled = next(filter(Path.exists, (folder / f"{name}.mo" for name in foreign)), None)
    if compiled is not None:
        use_translation(compiled)


def translate_qt(application: QCoreApplication) -> None:
    """Have the buttons of Qt's own dialogs speak the language of the window."""
    translator = QTranslator(application)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(QLocale(language()), "qtbase", "_", folder):
        application.installTranslator(translator)
