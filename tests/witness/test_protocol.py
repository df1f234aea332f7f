"""The text of an add-checkpoint request."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.witness.protocol import AddCheckpoint, MalformedRequestError, checkpoint_path

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=63)
# The request that C2SP tlog-witness shows; its signatures are not real.
EXAMPLE = """\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
""".encode()  # noqa: E501


def test_the_example_of_the_specification_is_read_and_written_back() -> None:
    read = AddCheckpoint.parse(EXAMPLE)
    assert (read.old_size, len(read.proof)) == (20_852_014, 4)
    assert read.checkpoint.startswith(b"example.com/behind-the-sofa\n20852163\n")
    assert read.encode() == EXAMPLE


@given(st.integers(0, 2**63 - 1), HASHES, st.binary())
def test_what_is_written_is_read_back(old: int, proof: list[bytes], note: bytes) -> None:
    request = AddCheckpoint(old, tuple(proof), note)
    assert AddCheckpoint.parse(request.encode()) == request


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_in_its_only_spelling_or_malformed(body: bytes) -> None:
    try:
        request = AddCheckpoint.parse(body)
    except MalformedRequestError:
        return
    assert request.encode() == body


HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "head",
    [
        "",
        "old",
        "old ",
        "old 01",
        "old +1",
        "old -1",
        "old 1 ",
        "old  1",
        "Old 1",
        "new 1",
        "1",
        "old 9223372036854775808",
        f"old 1\n{HASH[:-1]}",
        f"old 1\n{HASH} ",
        f"old 1\n{base64.b64encode(bytes(31)).decode()}",
        f"old 1\r\n{HASH}",
        "old 1\n" + "\n".join([HASH] * 64),
        "old é",
    ],
)
def test_other_spellings_are_malformed(head: str) -> None:
    with pytest.raises(MalformedRequestError):
        AddCheckpoint.parse(f"{head}\n\nnote\n".encode())


def test_a_request_has_an_empty_line() -> None:
    with pytest.raises(MalformedRequestError):
        AddCheckpoint.parse(b"old 1\n")


def test_a_checkpoint_is_shown_under_the_hash_of_its_origin() -> None:
    # printf 'example.com/log' | sha256sum
    assert checkpoint_path("example.com/log") == (
        "/4d3203c8f35cdf600e475f55fede6081a703d3d322f208865fca2ec4f0e030f8/checkpoint"
    )
