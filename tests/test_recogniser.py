"""The recogniser hears the same in the same sound at its place in time; its losses tell what it misses."""

import pytest
import soundfile
import torch
from torch import Tensor
from torch.nn import functional as F

from model.level import REFERENCE_RMS
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.recogniser import FEATURES, Recogniser, RecogniserLoss, word_loss
from realtime.demo import SAMPLE

SAMPLES = 2 * SAMPLE_RATE_HZ
PLACES = 100
LATE = 10
FRAMES_HZ = SAMPLE_RATE_HZ / FRAME_SAMPLES


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.fixture(scope="module")
def speech() -> Tensor:
    recording, _ = soundfile.read(SAMPLE.with_name("clean_speech.flac"), dtype="float32")
    audio = torch.from_numpy(recording)[None]
    return audio / audio.square().mean().sqrt() * REFERENCE_RMS


def test_what_is_heard_keeps_its_place_in_time(recogniser: Recogniser, speech: Tensor) -> None:
    late_samples = LATE * SAMPLE_RATE_HZ // 50
    early, late = (recogniser(speech[:, start:][:, :SAMPLES])[-1][0] for start in (0, late_samples))
    assert early.shape == (PLACES, FEATURES)
    early, late = ((heard - heard.mean(0)) / heard.std(0) for heard in (early, late))
    agreement = {
        shift: (early[LATE + 20 + shift :][:50] * late[20:][:50]).mean().item()
        for shift in (-10, -5, 0, 5, 10)
    }
    assert max(agreement, key=lambda shift: agreement[shift]) == 0
    assert agreement[0] > 0.5


def test_coarse_numbers_hear_the_same(recogniser: Recogniser, speech: Tensor) -> None:
    first, noise = speech[:, :SAMPLES], torch.randn(1, SAMPLES, generator=torch.Generator().manual_seed(0))
    wanted = recogniser(first)
    rounded = word_loss(Recogniser(torch.bfloat16)(first), wanted).item()
    assert 0.0 < rounded < 0.1 * word_loss(recogniser(first + 0.01 * noise * REFERENCE_RMS), wanted).item()


def test_words_count_and_faint_noise_in_silence_does_not(recogniser: Recogniser, speech: Tensor) -> None:
    silence, hiss = torch.zeros(1, SAMPLES), 1e-5 * torch.randn(1, SAMPLES)
    assert word_loss(recogniser(hiss), recogniser(silence)).item() == pytest.approx(0.0, abs=1e-2)
    first = speech[:, :SAMPLES]
    wanted = recogniser(first)
    noise = REFERENCE_RMS * torch.randn(first.shape, generator=torch.Generator().manual_seed(0))
    losses = [
        word_loss(recogniser(heard), wanted).item() for heard in (first, first + 0.1 * noise, first + noise)
    ]
    assert losses[0] == 0.0 and losses[0] < 1.5 * losses[1] < losses[2]


def test_sound_learns_to_be_heard_as_another(recogniser: Recogniser, speech: Tensor) -> None:
    clean = speech[:, :SAMPLES]
    wanted = recogniser(clean)
    mixture = clean + 0.3 * REFERENCE_RMS * torch.randn(
        clean.shape, generator=torch.Generator().manual_seed(0)
    )
    gain = torch.zeros(SAMPLES // FRAME_SAMPLES + 1, requires_grad=True)
    optimizer = torch.optim.Adam([gain], 0.1)
    losses = []
    for _ in range(12):
        by_sample = gain.sigmoid().repeat_interleave(FRAME_SAMPLES)[:SAMPLES]
        optimizer.zero_grad()
        (loss := word_loss(recogniser(mixture * by_sample), wanted)).backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


def test_a_linear_layer_learns_to_foretell_what_depends_on_what_is_known() -> None:
    torch.manual_seed(0)
    loss, known = RecogniserLoss(8), torch.randn(4, 86, 8)
    heard = 3.0 + F.interpolate(known.mT, scale_factor=50 / FRAMES_HZ, mode="linear").mT @ torch.randn(
        8, FEATURES
    )
    optimizer = torch.optim.Adam(loss.parameters(), 0.05)
    assert loss(known, heard).item() > 0.8
    for _ in range(150):
        optimizer.zero_grad()
        (value := loss(known, heard)).backward()
        optimizer.step()
    assert value.item() < 0.05
    assert loss(torch.randn(4, 86, 8), heard).item() > 0.8
