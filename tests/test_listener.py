"""The listener agrees with the package that its weights are from, and its opinions can be learned from."""

import warnings

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from model.judges import JUDGE_RATE_HZ, at_judge_rate
from model.level import REFERENCE_RMS
from model.listener import Listener, opinion_loss
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from realtime.demo import SAMPLE

SAMPLES = 96 * FRAME_SAMPLES


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="module")
def speech() -> Tensor:
    recording, _ = soundfile.read(SAMPLE.with_name("clean_speech.flac"), dtype="float32")
    audio = torch.from_numpy(recording)[None]
    return audio / audio.square().mean().sqrt() * REFERENCE_RMS


def noise_like(speech: Tensor) -> Tensor:
    return REFERENCE_RMS * torch.randn(speech.shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("noise_level", [0.0, 0.1, 1.0])
def test_it_agrees_with_its_package(listener: Listener, speech: Tensor, noise_level: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dnsmos = pytest.importorskip("speechmos.dnsmos")
    audio = np.resize((speech + noise_level * noise_like(speech)).numpy(), round(9.01 * SAMPLE_RATE_HZ))
    theirs = dnsmos.run(at_judge_rate(audio), sr=JUDGE_RATE_HZ)["p808_mos"]
    assert listener(torch.from_numpy(audio)[None]).item() == pytest.approx(theirs, abs=0.15)


def test_nothing_lacks_but_from_speech(listener: Listener, speech: Tensor) -> None:
    clean = speech[:, SAMPLE_RATE_HZ:][:, :SAMPLES]
    noisy = clean + 0.3 * noise_like(clean)
    assert opinion_loss(listener, clean, clean).item() == 0.0
    assert opinion_loss(listener, clean, noisy).item() == 0.0
    assert opinion_loss(listener, noisy, torch.zeros_like(clean)).item() == 0.0
    assert opinion_loss(listener, noisy, clean).item() > 0.5


def test_how_loud_it_is_makes_no_difference(listener: Listener, speech: Tensor) -> None:
    loud, soft = listener(torch.cat([speech, 0.3 * speech]))
    assert loud.item() == pytest.approx(soft.item(), abs=0.02)


def test_a_mask_learns_to_please(listener: Listener, speech: Tensor) -> None:
    clean = speech[:, SAMPLE_RATE_HZ:][:, :SAMPLES]
    noisy = clean + 0.3 * noise_like(clean)
    spectrum = torch.stft(noisy, 1024, 256, window=torch.hann_window(1024), return_complex=True)
    gain = torch.zeros(spectrum.shape, requires_grad=True)
    optimizer = torch.optim.Adam([gain], 0.3)
    losses = []
    for _ in range(20):
        masked = torch.istft(spectrum * gain.sigmoid(), 1024, 256, window=torch.hann_window(1024))
        optimizer.zero_grad()
        (loss := opinion_loss(listener, masked, clean[:, : masked.shape[1]])).backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
