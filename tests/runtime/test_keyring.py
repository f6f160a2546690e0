"""Keys that protect keys, and what they protect."""

import base64
import os

import pytest

from libs.runtime.keyring import Damaged, KeyRing, new_data_key, seal, unseal

OLD, NEW = os.urandom(32), os.urandom(32)


def test_a_ring_wraps_with_its_newest_key_and_unwraps_with_any() -> None:
    data_key = new_data_key()
    key_id, wrapped = KeyRing({"old": OLD}).wrap(data_key, belongs_to="rosa")
    ring = KeyRing({"old": OLD, "new": NEW})
    assert key_id == "old"
    assert ring.unwrap(key_id, wrapped, belongs_to="rosa") == data_key
    assert ring.wrap(data_key, belongs_to="rosa")[0] == "new"


def test_a_key_belongs_to_one_patient_only() -> None:
    ring = KeyRing({"old": OLD})
    key_id, wrapped = ring.wrap(new_data_key(), belongs_to="rosa")
    with pytest.raises(Damaged):
        ring.unwrap(key_id, wrapped, belongs_to="ana")


def test_without_its_master_key_a_data_key_is_lost() -> None:
    key_id, wrapped = KeyRing({"old": OLD}).wrap(new_data_key(), belongs_to="rosa")
    with pytest.raises(Damaged):
        KeyRing({"new": NEW}).unwrap(key_id, wrapped, belongs_to="rosa")


def test_every_flipped_bit_is_noticed() -> None:
    sealed = seal(OLD, b"hemoglobin", belongs_to="document 1, chunk 0")
    assert unseal(OLD, sealed, belongs_to="document 1, chunk 0") == b"hemoglobin"
    for place in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(Damaged):
            unseal(OLD, bytes(flipped), belongs_to="document 1, chunk 0")


def test_a_piece_moved_elsewhere_or_cut_short_does_not_open() -> None:
    sealed = seal(OLD, b"hemoglobin", belongs_to="document 1, chunk 0")
    with pytest.raises(Damaged):
        unseal(OLD, sealed, belongs_to="document 1, chunk 1")
    for length in range(len(sealed)):
        with pytest.raises(Damaged):
            unseal(OLD, sealed[:length], belongs_to="document 1, chunk 0")


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    assert len({seal(OLD, b"x", belongs_to="") for _ in range(10_000)}) == 10_000


def test_a_ring_is_a_file_of_lines() -> None:
    text = f"old {base64.b64encode(OLD).decode()}\n\nnew {base64.b64encode(NEW).decode()}\n"
    assert KeyRing.parse(text).newest == "new"


@pytest.mark.parametrize("text", ["", "short YWJj\n"])
def test_a_ring_without_a_proper_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing.parse(text)
