"""What several tests share: a small restorer with random weights, a sound server, and a window on both."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PyQt6.QtWidgets import QApplication

from gui.app import opened_window
from gui.settings import Settings, SettingsFile
from model.bundle import Bundle, BundleConfig
from model.codec import CodecConfig, build_dac
from model.language_model import LanguageModel, LanguageModelConfig
from model.masksr import MaskSR
from presets.library import PresetLibrary
from tests.desktop import OpenWindow
from tests.pulse_server import PulseServer

CODEC = CodecConfig(encoder_dim=2, encoder_rates=(8, 64), decoder_dim=8, decoder_rates=(64, 8), n_codebooks=2)
LANGUAGE_MODEL = LanguageModelConfig(width=8, encoder_layers=1, layers=1, heads=2, feed_forward=16)
PRESET = """
title = "Tiny"
description = "Random weights, for tests."
bundle = '{bundle}'
context_frames = 12
hop_frames = 8
lookahead_frames = 4
fade_ms = 10.0
passes = 1
guidance = 0.0
temperature = 1.0
"""


@pytest.fixture(scope="session", autouse=True)
def heeded_interrupts() -> None:
    """A suite that is started in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a complete bundle."""
    torch.manual_seed(0)
    language_model = LanguageModel(LANGUAGE_MODEL, CODEC)
    for parameter in language_model.parameters():
        if not parameter.any():  # training starts from zeros, and does not leave them
            torch.nn.init.normal_(parameter, std=0.1)
    torch.nn.init.constant_(language_model.speech_encoder.filling.bias, 1.0)  # much is to be generated
    folder = tmp_path_factory.mktemp("tiny_bundle")
    config = BundleConfig(codec=CODEC, language_model=LANGUAGE_MODEL)
    Bundle(config, build_dac(CODEC).state_dict(), language_model.state_dict()).save(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_preset(tiny_bundle: Path) -> Path:
    """A preset file that uses `tiny_bundle`."""
    path = tiny_bundle.parent / "tiny.toml"
    path.write_text(PRESET.format(bundle=tiny_bundle))
    return path


@pytest.fixture(scope="session")
def model(tiny_bundle: Path) -> MaskSR:
    """The restorer in `tiny_bundle` in float32, where batches of any order give exactly the same."""
    bundle, cpu = Bundle.load(tiny_bundle), torch.device("cpu")
    language_model = bundle.build_language_model(cpu, torch.float32)
    return MaskSR(bundle.build_codec(cpu, torch.float32), language_model, cpu)


@pytest.fixture
def pulse() -> Iterator[PulseServer]:
    with PulseServer() as server:
        yield server


@pytest.fixture
def no_portaudio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PortAudio's library is missing, also for processes that are started from now on."""
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)


@pytest.fixture
def settings_file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "settings.json")


@pytest.fixture
def open_window(
    qapp: QApplication, pulse: PulseServer, settings_file: SettingsFile, tmp_path: Path, tiny_preset: Path
) -> OpenWindow:
    """Opens the window as it was when it was last closed; the first time with a preset of random weights."""
    library = PresetLibrary(tmp_path / "presets")
    settings_file.save(Settings(preset=library.add(tiny_preset)))
    return lambda: opened_window(qapp, settings_file, library)
