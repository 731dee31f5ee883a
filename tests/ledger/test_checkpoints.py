import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger import checkpoints, keys
from audit.ledger.checkpoints import BadCheckpoint

KEY = keys.parse_signing_key("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
TRUSTED = {KEY.public.id: KEY.public}
ROOT = hashlib.sha256(b"").digest()


def test_a_checkpoint_reads_as_the_standard_says():
    lines = checkpoints.sign(KEY, 1024, ROOT).split("\n")
    assert lines[:4] == ["PeterNeumann", "1024", base64.b64encode(ROOT).decode(), ""]
    assert lines[4].startswith("— PeterNeumann x08go")  # the key id c74f20a3 begins the signature
    assert lines[5:] == [""]


def test_signatures_are_those_of_other_programs():
    """The example note of Go's golang.org/x/mod/sumdb/note."""
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    known = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    assert base64.b64encode(bytes.fromhex(KEY.public.id) + KEY.sign(text.encode())).decode() == known


@given(st.integers(0, 2**63), st.binary(min_size=32, max_size=32))
def test_a_signed_head_comes_back_as_it_was(size, root):
    head = checkpoints.verify(checkpoints.sign(KEY, size, root), TRUSTED)
    assert (head.origin, head.size, head.root) == ("PeterNeumann", size, root)


@given(st.data())
def test_a_note_changed_in_one_place_is_refused(data):
    note = checkpoints.sign(KEY, 4711, ROOT)
    place = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != note[place]))
    changed = note[:place] + other + note[place + 1 :]
    try:
        head = checkpoints.verify(changed, TRUSTED)
    except BadCheckpoint:
        return
    # A name beside the signature and the last line end are not signed; what the note says is.
    assert (head.size, head.root) == (4711, ROOT)


def test_a_note_of_another_key_is_refused():
    stranger = keys.new_key("PeterNeumann")
    with pytest.raises(BadCheckpoint, match="No trusted key"):
        checkpoints.verify(checkpoints.sign(stranger, 1, ROOT), TRUSTED)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "log\n1\n",
        "log\n1\nAAAA\n\n— log AAAA\n",
        "log\n01\n" + base64.b64encode(ROOT).decode() + "\n\n",
        "log\n-1\n" + base64.b64encode(ROOT).decode() + "\n\n",
        "log\n1\nnot base64\n\n",
        "log\n1\n" + base64.b64encode(ROOT).decode() + "\n\nlog AAAA\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(note):
    with pytest.raises(BadCheckpoint):
        checkpoints.verify(note, TRUSTED)
