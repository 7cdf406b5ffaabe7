"""The reader's net: MiniLM over question and window, with a head for the window and one for its tokens."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertModel

from nkqa.reader import Encoded, Judged, encode, judge, pad
from nkqa.types import Window

FAR = -1e4
"""What is added to a logit that must not be chosen; finite, so that int8 and bfloat16 bear it."""


class ReaderNet(nn.Module):
    """A cross-encoder (Devlin et al. 2019) on MiniLM (Wang et al. 2020)."""

    def __init__(self, bert: BertModel) -> None:
        """Put fresh heads on `bert`."""
        super().__init__()
        size = int(bert.config.hidden_size)
        self.bert = bert
        self.dropout = nn.Dropout(0.1)
        self.window = nn.Sequential(nn.Linear(2 * size, size), nn.GELU(), nn.Dropout(0.1), nn.Linear(size, 1))
        self.tokens = nn.Linear(size, 3)

    def forward(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the windows' logits (rows,) and the tokens' (rows, tokens, 3): start, end, sentence.

        All three inputs are int64 (rows, tokens).
        """
        far = (1.0 - attention_mask[:, None, None, :].float()) * FAR
        hidden = self.bert(
            input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=far
        ).last_hidden_state
        hidden = self.dropout(hidden)
        inside = (attention_mask * token_type_ids).float()[:, :, None]
        mean = (hidden * inside).sum(1) / inside.sum(1).clamp(min=1.0)
        window = self.window(torch.cat([hidden[:, 0], mean], dim=1))[:, 0]
        return window, self.tokens(hidden)


def new_net(folder: Path) -> ReaderNet:
    """A net with the weights of all-MiniLM-L6-v2 from `folder` and untrained heads."""
    bert = BertModel.from_pretrained(str(folder), attn_implementation="eager", add_pooling_layer=False)
    return ReaderNet(bert)


def losses(
    window: Tensor, tokens: Tensor, sentence_of: Tensor, labels: Tensor, sentence: Tensor, spans: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean losses of the three heads: window, sentences, words.

    `sentence_of` (rows, tokens) numbers the sentences, -1 outside; `labels` (rows,) is 0 or 1; `sentence`
    (rows,) the right one or -1; `spans` (rows, 2) token positions, 0 for no answer and -1 for unknown.
    """
    per_window = nn.functional.binary_cross_entropy_with_logits(window, labels)
    count = int(sentence_of.max()) + 1
    member = nn.functional.one_hot(sentence_of + 1, count + 1)[:, :, 1:].float()
    sizes = member.sum(1)
    means = torch.einsum("rt,rts->rs", tokens[:, :, 2], member) / sizes.clamp(min=1.0)
    wanted = nn.functional.one_hot(sentence + 1, count + 1)[:, 1:].float()
    there = (sizes > 0).float()
    each = nn.functional.binary_cross_entropy_with_logits(means, wanted, weight=there, reduction="sum")
    open_ = (sentence_of >= 0).float()
    open_[:, 0] = 1.0
    logits = tokens[:, :, :2] + ((1.0 - open_) * FAR)[:, :, None]
    known = (spans >= 0).sum().clamp(min=1)  # a batch may have no row whose words are known
    words = nn.functional.cross_entropy(logits, spans, ignore_index=-1, reduction="sum") / known
    return per_window, each / there.sum(), words


class TorchReader:
    """Judges as `nkqa.reader.OnnxReader.judge` does, with a net that is still in torch."""

    def __init__(self, net: ReaderNet, tokenizer: Tokenizer, max_tokens: int, batch: int = 32) -> None:
        """Keep the net; it is put into evaluation mode while it reads."""
        self.net, self.tokenizer, self.max_tokens, self.batch = net, tokenizer, max_tokens, batch

    def judge_all(self, asked: Sequence[tuple[str, Window]]) -> list[Judged]:
        """Judge each question against its window, in the order given."""
        rows = [encode(self.tokenizer, question, [window], self.max_tokens)[0] for question, window in asked]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
        found: dict[int, Judged] = {}
        training = self.net.training
        self.net.eval()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            for at in range(0, len(order), self.batch):
                self._judge(order[at : at + self.batch], rows, asked, found)
        self.net.train(training)
        return [found[i] for i in range(len(rows))]

    def _judge(
        self,
        batch: list[int],
        rows: list[Encoded],
        asked: Sequence[tuple[str, Window]],
        found: dict[int, Judged],
    ) -> None:
        inputs = {name: torch.from_numpy(array) for name, array in pad([rows[i] for i in batch]).items()}
        windows, tokens = (output.float().numpy() for output in self.net(**inputs))
        for place, i in enumerate(batch):
            found[i] = judge(rows[i], len(asked[i][1].sentences), float(windows[place]), tokens[place])


def embed(
    folder: Path, tokenizer: Tokenizer, texts: Sequence[str], batch: int = 64
) -> npt.NDArray[np.float32]:
    """Sentence vectors of all-MiniLM-L6-v2 as it is: mean over tokens, length 1; (texts, 384)."""
    bert: nn.Module = BertModel.from_pretrained(
        str(folder), attn_implementation="eager", add_pooling_layer=False
    )
    bert.eval()
    rows = [
        [101, *encoding.ids[:126], 102]
        for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False)
    ]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    vectors = np.zeros((len(rows), 384), dtype=np.float32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for at in range(0, len(order), batch):
            lot = order[at : at + batch]
            width = max(len(rows[i]) for i in lot)
            ids = torch.tensor([rows[i] + [0] * (width - len(rows[i])) for i in lot])
            mask = (ids != 0).float()
            far = (1.0 - mask[:, None, None, :]) * FAR
            hidden = bert(input_ids=ids, attention_mask=far).last_hidden_state.float()
            mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            vectors[lot] = nn.functional.normalize(mean, dim=1).numpy()
    return vectors


def nearest_words(folder: Path, tokenizer: Tokenizer, most: int = 24) -> dict[str, list[tuple[str, float]]]:
    """For each whole word of the vocabulary the words whose input vectors are nearest, with their cosines."""
    bert = BertModel.from_pretrained(str(folder), add_pooling_layer=False)
    words = [w for w in tokenizer.get_vocab() if w.isascii() and w.isalpha() and len(w) >= 4]
    ids = torch.tensor([tokenizer.token_to_id(word) for word in words])
    table = nn.functional.normalize(bert.embeddings.word_embeddings.weight.detach()[ids], dim=1)
    found: dict[str, list[tuple[str, float]]] = {}
    for at in range(0, len(words), 512):
        cosines, places = (table[at : at + 512] @ table.T).topk(most, dim=1)
        for word, row, where in zip(words[at : at + 512], cosines.tolist(), places.tolist(), strict=True):
            found[word] = [
                (words[i], cosine) for i, cosine in zip(where, row, strict=True) if words[i] != word
            ]
    return found
