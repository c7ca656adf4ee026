"""One file translates all that the window says, from whichever layer; the command line stays English."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo

pytestmark = pytest.mark.live

ROOT = Path(__file__).parent.parent
WIDE = {code: code + 0xFEE0 for code in (*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1))}
NAMES = (  # which no translation changes
    *(
        "MaskSR Live Microphone",
        "MaskSR Live",
        "Desk Microphone",
        "Monitor of Speakers",
        "[Ss]peakers",
        "Room",
    ),
    *("pulseaudio", r"PortAudio V[\d.]+-devel", "CPU", "compact", "default$", r"damaged\.wav", r"\*\.toml"),
    *("Tiny", "Balanced", "Call", "Processor", "Studio", r"Random weights, for tests\."),  # of presets
    *("OK", "Ja", "Abbrechen"),  # of Qt's buttons, by its own translation
)
NO_WORDS = r"<[^>]*>|\S*/\S*|\b(?:" + "|".join(NAMES) + ")(?!\\w)"  # tags, paths and names
SENTENCES = {  # one that proves the state
    "loading": "Loading the model",
    "running": "preset ",
    "bypassed": "Bypassed: your microphone goes out as it is",
    "asking": "It cannot be brought back.",
    "told of a mistake": " and would hear itself; choose another microphone",
    "unrestored": ": name one that ships (",
    "recovering": "The sound server does not answer; see whether PipeWire or PulseAudio is running.",
}
SHOWN = {  # errors whose sentences come to the window
    *("AudioFileError", "BundleError", "DeviceError", "GraphicsCardError", "PresetError", "ProblemError"),
    *("SoundServerError", "SoundServerHangsError", "VirtualMicError"),
}
FOR_DEVELOPERS = {
    "average.py",
    "evaluate.py",
    "official_codec.py",
    "paced_file.py",
}  # what these say stays on the command line


def in_wide_letters(sentence: str) -> str:
    """`sentence` with everything but what is filled in written so that it cannot be taken for English."""
    parts = []
    for words, name, form, conversion in Formatter().parse(sentence):
        field = f"{{{name}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}}}"
        parts.append(words.translate(WIDE) + ("" if name is None else field))
    return "".join(parts)


def sentences() -> Iterator[str | tuple[str, ...]]:
    """What `make translations` finds; a tuple has the forms of a sentence that counts."""
    with (ROOT / "babel.cfg").open() as configuration:
        methods, options = parse_mapping_cfg(configuration)
    for _file, _line, message, _comments, _context in extract_from_dir(ROOT, methods, options):
        yield message


@pytest.fixture(scope="module")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a complete translation, for users whose language is German."""
    catalog = Catalog(locale="de")
    for message in sentences():
        wide = tuple(map(in_wide_letters, (message,) if isinstance(message, str) else message))
        catalog.add(message, wide[0] if isinstance(message, str) else wide)
    folder = tmp_path_factory.mktemp("translations")
    with (folder / "de.mo").open("wb") as compiled:
        write_mo(compiled, catalog)
    return folder


def left_in_english(words: str) -> list[str]:
    return re.findall("[A-Za-z]{2,}", re.sub(NO_WORDS, "", words))


def test_nothing_that_the_window_says_is_left_in_english(
    translations: Path, tiny_preset: Path, tmp_path: Path
) -> None:
    places = map(str, (translations, tmp_path, tiny_preset))
    command = [sys.executable, "-m", "tests.translated_window", *places]
    environment = os.environ | {"LANGUAGE": "de", "QT_QPA_PLATFORM": "offscreen"}
    printed = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    said = json.loads(printed)
    assert said.keys() == SENTENCES.keys()
    for state, sentence in SENTENCES.items():
        assert any(in_wide_letters(sentence) in words for words in said[state]), sentence
    english = {state: {each for each in words if left_in_english(each)} for state, words in said.items()}
    assert english == {state: set() for state in said}


def raised(source: Path) -> Iterator[ast.Call]:
    statements = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
    calls = [
        node.exc for node in statements if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    return (call for call in calls if isinstance(call.func, ast.Name) and call.func.id in SHOWN and call.args)


@pytest.mark.parametrize("layer", ["realtime", "presets", "model"])
def test_no_error_that_the_window_shows_is_left_out(layer: str) -> None:
    plain = (ast.Constant, ast.JoinedStr)
    sources = [path for path in sorted((ROOT / layer).glob("*.py")) if path.name not in FOR_DEVELOPERS]
    assert any(call for source in sources for call in raised(source))
    assert [
        f"{source}:{call.lineno}"
        for source in sources
        for call in raised(source)
        if isinstance(call.args[0], plain)
    ] == []


def printed_by(code: str, **environment: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=os.environ | environment, check=True, capture_output=True, text=True
    ).stdout


def test_the_command_line_speaks_english_whatever_language_the_user_speaks(translations: Path) -> None:
    code = f"""
import sys
from pathlib import Path
sys.stderr = sys.stdout
import model.translation
model.translation.FOLDER = Path({str(translations)!r})
import main
main.main(["restore", "nothing.wav", "restored.wav"])
"""
    told = printed_by(code, LANGUAGE="de")
    assert told.endswith("main.py: nothing.wav is not there; check the path.\n")


def test_what_counts_takes_the_form_that_the_language_has_for_it(tmp_path: Path) -> None:
    catalog, compiled = Catalog(locale="pl"), tmp_path / "pl.mo"
    passes = ("{count} przebieg", "{count} przebiegi", "{count} przebiegów")
    catalog.add(("the one pass", "all {count} passes"), passes)
    with compiled.open("wb") as file:
        write_mo(file, catalog)
    code = "from realtime.ladder import Ladder; print([Ladder(passes, 1.0).rung for passes in (1, 2, 5)])"
    told = printed_by(code, MASKSR_TRANSLATION=str(compiled))
    assert told == "['1 przebieg', '2 przebiegi', '5 przebiegów']\n"
