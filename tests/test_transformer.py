"""The transformer hears the same in training as it does afterwards."""

import torch

from model.transformer import Transformer


def test_it_computes_the_same_in_training_as_afterwards() -> None:
    torch.manual_seed(0)
    transformer = Transformer(width=32, layers=2, heads=2, feed_forward=64)
    for parameter in transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    frames = torch.randn(2, 20, 32)
    trained = transformer(frames, first_frame=5)
    with torch.inference_mode():
        torch.testing.assert_close(transformer(frames, first_frame=5), trained)
