"""The data stages from and to an object store: a server that speaks S3, started here."""

import json

import pytest

from unmask.core import manifests
from unmask.core.locations import location

pytestmark = pytest.mark.e2e

BUCKET = "s3://texts"


@pytest.fixture(scope="module")
def endpoint():
    """A running server with an empty bucket; its URL."""
    server_module = pytest.importorskip("moto.server", reason="needs moto, of the extra [test]")
    pytest.importorskip("s3fs", reason="needs s3fs, the extra [s3]")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def unmask(tmp_path, command_line, endpoint, monkeypatch):
    """A command line whose s3:// is the server, and a bucket with one packed file of text."""
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "UNMASK_CACHE": str(tmp_path / "cache"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    unmask = command_line(tmp_path)
    unmask.environment |= settings
    bucket = location(BUCKET)
    bucket.fs.invalidate_cache()
    if bucket.fs.exists("texts"):
        bucket.fs.rm("texts", recursive=True)
    bucket.fs.mkdir("texts")
    rows = [{"text": f"Document {n} is about rivers.\nIt has two lines."} for n in range(200)]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    (bucket / "raw" / "a.jsonl").write_text(content)
    return unmask


def test_the_stages_read_from_and_write_to_a_bucket(unmask):
    corpus, tokens = f"{BUCKET}/corpus", f"{BUCKET}/tokens"
    unmask.good("corpus", "--inputs", f"{BUCKET}/raw", "--out", corpus, "--workers", "2")
    unmask.good("tokenizer", "--corpus", corpus, "--vocabulary", "300", "--out", f"{BUCKET}/t")
    unmask.good(
        *("tokens", "--corpus", corpus, "--tokenizer", f"{BUCKET}/t", "--out", tokens),
        *("--length", "32", "--workers", "2"),
    )
    again = unmask.good(
        *("tokens", "--corpus", corpus, "--tokenizer", f"{BUCKET}/t", "--out", tokens),
        *("--length", "32"),
    )

    manifest = manifests.read(location(tokens))
    assert manifest.facts["train_documents"] + manifest.facts["valid_documents"] == 200
    assert {item.path for item in manifest.inputs} == {"../corpus", "../t"}
    assert "done already" in again.stderr


def test_a_bucket_gives_the_same_bytes_as_a_disk(unmask):
    local = unmask.folder / "raw"
    local.mkdir()
    (local / "a.jsonl").write_bytes(location(f"{BUCKET}/raw/a.jsonl").read_bytes())
    unmask.good("corpus", "--inputs", "raw", "--out", "corpus")
    unmask.good("corpus", "--inputs", f"{BUCKET}/raw", "--out", f"{BUCKET}/corpus")

    facts = [
        manifests.read(place).facts
        for place in (unmask.folder / "corpus", location(f"{BUCKET}/corpus"))
    ]

    assert facts[0]["documents"] == facts[1]["documents"] == 200
    assert facts[0]["characters"] == facts[1]["characters"]


def test_pretraining_reads_shards_from_a_bucket(unmask, shape):
    unmask.good("corpus", "--inputs", f"{BUCKET}/raw", "--out", f"{BUCKET}/corpus")
    unmask.good("tokenizer", "--corpus", f"{BUCKET}/corpus", "--vocabulary", "300", "--out", "t")
    unmask.good(
        *("tokens", "--corpus", f"{BUCKET}/corpus", "--tokenizer", "t"),
        *("--out", f"{BUCKET}/tokens", "--length", "32"),
    )

    unmask.good("pretrain", "--tokens", f"{BUCKET}/tokens", "--out", "run", *shape, "--steps", "3")

    assert (unmask.folder / "run" / "model" / "model.safetensors").exists()


def test_a_bucket_that_is_not_there_is_said(unmask):
    done = unmask("corpus", "--inputs", "s3://nowhere/raw", "--out", "corpus")

    assert done.returncode == 2
    assert "s3://nowhere/raw" in done.stderr
    assert "Traceback" not in done.stderr
