"""The transformer hears the same in training as it does afterwards, and without what adds nothing."""

import torch

from model.transformer import Block, Transformer


def test_it_computes_the_same_in_training_as_afterwards() -> None:
    torch.manual_seed(0)
    transformer = Transformer(width=32, layers=2, heads=2, feed_forward=64)
    for parameter in transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    frames = torch.randn(2, 20, 32)
    trained = transformer(frames, first_frame=5)
    with torch.inference_mode():
        torch.testing.assert_close(transformer(frames, first_frame=5), trained)


@torch.inference_mode()
def test_blocks_that_add_nothing_are_left_out_unheard() -> None:
    torch.manual_seed(0)
    transformer, frames = Transformer(width=32, layers=3, heads=2, feed_forward=64), torch.randn(2, 20, 32)
    busy = transformer.blocks[1]
    assert isinstance(busy, Block)
    torch.nn.init.normal_(busy.output.weight, std=0.2)
    before = transformer(frames, first_frame=5)
    transformer.leave_out_idle()
    assert list(transformer.blocks) == [busy]
    torch.testing.assert_close(transformer(frames, first_frame=5), before)
    torch.nn.init.zeros_(busy.output.weight)
    transformer.leave_out_idle()
    torch.testing.assert_close(transformer(frames, first_frame=5), frames[:, 5:])
