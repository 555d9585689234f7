"""What a program is written as, what writing it leaves alone, and what is refused."""

import copy
import itertools
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import unmask
from unmask.core.errors import UserError
from unmask.export import programs
from unmask.export.graph.heads import Form
from unmask.infer.backend import PT2_FILE, TORCHSCRIPT_FILE
from unmask.infer.program_backend import ProgramBackend, Signature, without_jit_warnings
from unmask.model.heads import MaskedLM, SequenceClassifier
from unmask.tokenizer.batch import Batch

WRITERS = {PT2_FILE: programs.write_pt2, TORCHSCRIPT_FILE: programs.write_torchscript}
FILES = list(WRITERS)


@pytest.fixture(scope="module")
def tiny(model_of):
    """Make a model of one block that reads 16 tokens and has types."""

    def make(kind=SequenceClassifier, **shape):
        return model_of(kind, **{"family": "bert", "layers": 1, "max_length": 16} | shape)

    return make


def batch_of(rows, length):
    mask_BL = np.ones((rows, length), bool)
    ids_BL = np.arange(rows * length).reshape(rows, length) % 100 + 5
    return Batch(ids_BL, mask_BL, np.zeros_like(ids_BL))


@pytest.fixture(scope="module")
def written(tiny, tmp_path_factory):
    """Folders with both programs of a model: for any shape, for one, and for one length."""
    folders = {}
    for name, form in {
        "any": Form(),
        "one": Form(batch=2, length=8, ints="int32"),
        "length": Form(length=8, floats="float16"),
    }.items():
        folders[name] = tmp_path_factory.mktemp(name)
        family = "roberta" if name == "length" else "bert"
        for file, write in WRITERS.items():
            write(tiny(family=family), form, folders[name] / file)
    return folders


def loaded(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.load(path) if path.suffix == ".pt2" else torch.jit.load(path)


def tensors_of(program):
    return list(program.state_dict.values() if is_pt2(program) else program.parameters())


def is_pt2(program):
    return isinstance(program, torch.export.ExportedProgram)


def input_names(program):
    if is_pt2(program):
        return program.graph_signature.user_inputs
    return tuple(argument.name for argument in program.forward.schema.arguments[1:])


@pytest.mark.parametrize("file", FILES)
def test_inputs_have_the_names_and_the_order_of_the_onnx_graph(written, file):
    three, two = (written[name] / file for name in ("any", "length"))

    assert input_names(loaded(three)) == ("input_ids", "attention_mask", "token_type_ids")
    assert input_names(loaded(two)) == ("input_ids", "attention_mask")
    assert Signature.read(three).inputs == input_names(loaded(three))
    assert Signature.read(two).inputs == input_names(loaded(two))


@pytest.mark.parametrize("file", FILES)
def test_a_backend_says_what_it_is_and_which_batches_suit_it(written, file):
    any_shape, one = (ProgramBackend(written[name] / file) for name in ("any", "one"))

    assert any_shape.name == {PT2_FILE: "pt2", TORCHSCRIPT_FILE: "torchscript"}[file]
    assert any_shape.streams == 1
    assert any_shape.batch_tokens == 1024
    assert one.batch_tokens == 2 * 8


@pytest.mark.parametrize("file", FILES)
def test_half_a_form_gives_weights_of_16_bits_and_logits_of_32(written, file):
    path = written["length"] / file

    logits = ProgramBackend(path).logits(batch_of(3, 8))

    assert {item.dtype for item in tensors_of(loaded(path))} == {torch.float16}
    assert logits.dtype == np.float32
    assert logits.shape == (3, 3)


@pytest.mark.parametrize("name", ["any", "one"])
def test_what_is_traced_are_real_ids_with_real_padding(tiny, written, name):
    (ids_BL, mask_BL, types_BL), _ = loaded(written[name] / PT2_FILE).example_inputs

    real_BL = mask_BL > 0
    assert ids_BL.dtype == mask_BL.dtype == types_BL.dtype
    assert real_BL.equal(ids_BL != tiny().config.pad_id)
    assert 0 < (~real_BL).sum() < real_BL.sum()
    assert len(ids_BL[real_BL].unique()) == real_BL.sum()
    assert set(types_BL[real_BL].tolist()) == {0, 1}


@pytest.mark.parametrize("file", FILES)
def test_nothing_of_a_program_wants_a_gradient(written, file):
    assert not any(item.requires_grad for item in tensors_of(loaded(written["any"] / file)))


@pytest.mark.parametrize("file", FILES)
def test_what_stands_at_padding_changes_nothing(written, file):
    program = ProgramBackend(written["any"] / file)
    data, other = batch_of(2, 6), batch_of(2, 6)
    for item in (data, other):
        item.mask_BL[1, 4:] = False
    other.ids_BL[1, 4:] = 0

    assert np.abs(program.logits(data) - program.logits(other)).max() <= 1e-6


@pytest.mark.parametrize("file", FILES)
def test_the_tied_decoder_is_stored_once(tiny, tmp_path, file):
    WRITERS[file](tiny(MaskedLM), Form(), tmp_path / file)

    with zipfile.ZipFile(tmp_path / file) as archive:
        weights = [item.file_size for item in archive.infolist() if "/data/" in item.filename]

    assert weights.count(120 * 32 * 4) == 1


@pytest.mark.parametrize("file", FILES)
def test_writing_leaves_the_model_as_it_was(tiny, tmp_path, file):
    model = tiny().to(torch.bfloat16).train()
    model.encoder.blocks[0].eval()
    model.dense.weight.requires_grad_(False)
    model.out.weight.grad = torch.ones_like(model.out.weight)
    before = copy.deepcopy(model.state_dict())
    modes = [module.training for module in model.modules()]

    WRITERS[file](model, Form(), tmp_path / file)

    assert [module.training for module in model.modules()] == modes
    assert [n for n, p in model.named_parameters() if not p.requires_grad] == ["dense.weight"]
    assert model.out.weight.grad.equal(torch.ones_like(model.out.weight))
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == torch.bfloat16
        assert tensor.device.type == "cpu"
        assert tensor.equal(before[name]), name


def test_an_exported_program_names_no_file_of_this_machine(written):
    with zipfile.ZipFile(written["any"] / PT2_FILE) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())

    for package in (unmask, torch):
        assert str(Path(package.__file__).parent).encode() not in text


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("one", (3, 8), "was exported for batches of 2 x 8, given one of 3 x 8"),
        ("one", (2, 7), "was exported for batches of 2 x 8, given one of 2 x 7"),
        ("length", (3, 9), "was exported for batches of any number x 8, given one of 3 x 9"),
        ("any", (1, 17), "takes at most 16 tokens, given 17"),
    ],
)
def test_a_batch_of_another_shape_is_refused(written, name, shape, file, message):
    path = written[name] / file
    program = ProgramBackend(path)

    with pytest.raises(UserError, match=re.escape(f"{path}: {message}")) as error:
        program.logits(batch_of(*shape))

    assert "16 tokens" in error.value.hint or "export the model for any shape" in error.value.hint


@pytest.mark.parametrize("file", FILES)
def test_a_length_beyond_the_model_is_refused(tiny, tmp_path, file):
    with pytest.raises(UserError, match="a length of 17: the model takes at most 16") as error:
        WRITERS[file](tiny(), Form(batch=1, length=17), tmp_path / file)

    assert error.value.hint == "choose a length up to 16"
    assert not any(tmp_path.iterdir())


class Moody(SequenceClassifier):
    """Answers otherwise each time: a program is one of its answers for good."""

    mood = itertools.count()

    def head(self, first_BD):
        return super().head(first_BD) + next(self.mood)


class Baked(SequenceClassifier):
    """Decides in Python by the shape: a trace holds the way it took."""

    def head(self, first_BD):
        return super().head(first_BD) * (1.0 if len(first_BD) == 2 else 1.1)


@pytest.mark.parametrize(
    ("file", "kind"), [(PT2_FILE, Moody), (TORCHSCRIPT_FILE, Moody), (TORCHSCRIPT_FILE, Baked)]
)
def test_a_program_that_differs_from_its_model_is_not_written(tiny, tmp_path, file, kind):
    with pytest.raises(UserError, match=r"the program differs by .* from the model in float32"):
        WRITERS[file](tiny(kind), Form(), tmp_path / file)

    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("file", FILES)
def test_a_model_whose_numbers_are_too_large_for_the_type_is_not_written(tiny, tmp_path, file):
    model = tiny()
    with torch.no_grad():
        model.out.bias.fill_(1e6)  # 65,504 is the largest of 16 bits

    with pytest.raises(UserError, match="in float16 the model gives numbers that are not finite"):
        WRITERS[file](model, Form(), tmp_path / file, torch.float16)

    assert not any(tmp_path.iterdir())


class Fixed(SequenceClassifier):
    """Takes what its first ids say for good."""

    def forward(self, ids_BL, mask_BL=None, types_BL=None):
        logits_BN = super().forward(ids_BL, mask_BL, types_BL)
        return logits_BN + torch.full_like(logits_BN, float(np.array(ids_BL.tolist()).sum()))


def test_a_trace_for_one_shape_is_compared_at_other_ids(tiny, tmp_path):
    with pytest.raises(UserError, match="for a batch of 2 x 8 the program differs by"):
        programs.write_torchscript(tiny(Fixed), Form(2, 8), tmp_path / TORCHSCRIPT_FILE)


@pytest.mark.parametrize("max_length", [2, 5, 9])
@pytest.mark.parametrize("file", FILES)
def test_a_model_of_few_places_can_be_written(tiny, tmp_path, file, max_length):
    WRITERS[file](tiny(max_length=max_length), Form(), tmp_path / file)

    logits = ProgramBackend(tmp_path / file).logits(batch_of(5, max_length))

    assert logits.shape == (5, 3)


@pytest.mark.parametrize("file", FILES)
def test_a_changed_byte_is_found(written, tmp_path, file):
    data = bytearray((written["any"] / file).read_bytes())
    with zipfile.ZipFile(written["any"] / file) as archive:
        weight = max(
            archive.infolist(), key=lambda item: "/data/" in item.filename and item.file_size
        )
    data[weight.header_offset + 500] ^= 1
    (tmp_path / file).write_bytes(data)

    with pytest.raises(UserError, match=f"{weight.filename} in it is damaged") as error:
        ProgramBackend(tmp_path / file)

    assert error.value.hint == "export it again"


@pytest.mark.parametrize("file", FILES)
def test_half_a_file_is_refused(written, tmp_path, file):
    data = (written["any"] / file).read_bytes()
    (tmp_path / file).write_bytes(data[: len(data) // 2])

    with pytest.raises(UserError, match=r"not a whole program \(File is not a zip file\)"):
        ProgramBackend(tmp_path / file)


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_other_format_is_refused(written, tmp_path, file, caplog):
    other = next(name for name in FILES if name != file)
    (tmp_path / file).write_bytes((written["any"] / other).read_bytes())

    with pytest.raises(UserError, match=f"torch {re.escape(torch.__version__)} cannot load it"):
        ProgramBackend(tmp_path / file)

    assert not caplog.records


def test_a_file_that_something_else_wrote_is_refused(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "state.pt")
    with without_jit_warnings():
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "script.pt")

    for name in ("state.pt", "script.pt"):
        with pytest.raises(UserError, match=f"{name}: a program that this version of unmask did"):
            ProgramBackend(tmp_path / name)


@pytest.mark.parametrize("text", ["[1]", '{"inputs": ["input_ids"]}', "{", '"text"'])
def test_a_signature_of_another_kind_is_refused(tmp_path, text):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("archive/extra/unmask.json", text)

    with pytest.raises(UserError, match="this version of unmask did not export"):
        ProgramBackend(tmp_path / "model.pt")


def test_a_missing_file_and_one_of_another_kind_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"model\.pt2: no such file"):
        ProgramBackend(tmp_path / PT2_FILE)
    with pytest.raises(UserError, match=r"ends in \.onnx, neither in \.pt2 nor in \.pt"):
        ProgramBackend(tmp_path / "model.onnx")


def test_no_other_warning_is_kept_back():
    with without_jit_warnings():
        with pytest.raises(DeprecationWarning, match="other"):
            warnings.warn("other", DeprecationWarning, stacklevel=1)
        with pytest.raises(UserWarning, match="another"):
            warnings.warn("another", stacklevel=1)
