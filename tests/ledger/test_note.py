"""Signed notes, and every way they go wrong (C2SP signed-note)."""

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.ledger import note
from dataexchange.ledger.note import (
    Ed25519Signer,
    Ed25519Verifier,
    Note,
    NoteError,
    Signature,
    SignatureType,
    VerifierKey,
)

TEXT = "数据资产 data\n".encode()
LOG = Ed25519Signer("exchange.example/log", b"\x01" * 32)
OTHER = Ed25519Signer("other.example", b"\x02" * 32)


def key_of(signer: note.Signer) -> VerifierKey:
    return VerifierKey.parse(signer.vkey)


def verifier_of(signer: note.Signer) -> Ed25519Verifier:
    return Ed25519Verifier(key_of(signer))


SIGNED = note.sign_note(TEXT, [LOG])
LINE = SIGNED[len(TEXT) + 1 :].decode()


def test_a_note_is_the_text_an_empty_line_and_a_signature_line() -> None:
    signature = LOG.sign(TEXT)
    encoded = base64.b64encode(key_of(LOG).key_id + signature).decode()
    assert f"\n— exchange.example/log {encoded}\n".encode() == SIGNED.removeprefix(TEXT)


def test_an_opened_note_gives_its_text_and_the_verified_signatures() -> None:
    opened = note.open_note(SIGNED, [verifier_of(LOG)])
    assert opened.text == TEXT
    assert opened.signatures == (
        Signature("exchange.example/log", key_of(LOG).key_id, LOG.sign(TEXT)),
    )


def test_the_key_id_is_that_of_name_newline_type_and_key() -> None:
    key = key_of(LOG)
    assert key.key_id == sha256(b"exchange.example/log\n\x01" + key.public).digest()[:4]


def test_the_same_key_has_another_id_for_another_type() -> None:
    cosigner = Ed25519Signer(LOG.name, b"\x01" * 32, SignatureType.COSIGNATURE)
    assert key_of(cosigner).public == key_of(LOG).public
    assert key_of(cosigner).key_id != key_of(LOG).key_id


def test_a_vkey_is_read_back_from_its_text() -> None:
    key = key_of(LOG)
    encoded = base64.b64encode(b"\x01" + key.public).decode()
    assert key.vkey == f"exchange.example/log+{key.key_id.hex()}+{encoded}"
    assert VerifierKey.parse(key.vkey) == key


@given(st.binary(min_size=32, max_size=32))
def test_a_vkey_whose_base64_holds_a_plus_is_read_back(seed: bytes) -> None:
    key = key_of(Ed25519Signer("log.example", seed))
    assert VerifierKey.parse(key.vkey) == key


PUBLIC = key_of(LOG).public


def vkey(name: str, key_id: bytes, typed: bytes) -> str:
    return f"{name}+{key_id.hex()}+{base64.b64encode(typed).decode()}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+01020304",
        vkey("log.example", b"\0\0\0\0", b"\x01" + PUBLIC),  # not its id
        vkey(LOG.name, key_of(LOG).key_id, b"\x01" + PUBLIC) + "\n",
        vkey(LOG.name, key_of(LOG).key_id, b"\x01" + PUBLIC).rstrip("=") + "?",
        vkey(LOG.name, key_of(LOG).key_id[:3], b"\x01" + PUBLIC),
        vkey(LOG.name, key_of(LOG).key_id, b""),
        vkey(LOG.name, key_of(LOG).key_id, b"\x01" + PUBLIC[:-1]),
        vkey(LOG.name, key_of(LOG).key_id, b"\x06" + PUBLIC),
        vkey(LOG.name, key_of(LOG).key_id, b"\x02" + PUBLIC),  # ECDSA is not in use here
        vkey(LOG.name, key_of(LOG).key_id, b"\x01" + bytes(32)),  # small order
        vkey("", key_of(LOG).key_id, b"\x01" + PUBLIC),
        vkey("a b", key_of(LOG).key_id, b"\x01" + PUBLIC),
        vkey("\ud800", key_of(LOG).key_id, b"\x01" + PUBLIC),
    ],
)
def test_what_is_no_vkey_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u3000", "a\nb", "a\tb", "\x01"])
def test_a_key_name_holds_no_space_and_no_plus(name: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey(name, SignatureType.ED25519, PUBLIC)


def test_a_name_beyond_ascii_is_a_name() -> None:
    signer = Ed25519Signer("交易所.example/日志", b"\x03" * 32)
    assert note.open_note(note.sign_note(TEXT, [signer]), [verifier_of(signer)]).text == TEXT


def test_signatures_of_unknown_keys_are_ignored() -> None:
    both = note.sign_note(TEXT, [OTHER, LOG])
    opened = note.open_note(both, [verifier_of(LOG)])
    assert [signature.name for signature in opened.signatures] == [LOG.name]


def test_a_broken_signature_of_an_unknown_key_does_not_spoil_a_note() -> None:
    junk = Signature("unknown.example", b"abcd", b"junk")
    assert note.open_note(note.add_signatures(SIGNED, [junk]), [verifier_of(LOG)]).text == TEXT


def test_a_key_that_shares_only_the_name_or_only_the_id_is_unknown() -> None:
    same_name = Signature(LOG.name, b"abcd", b"junk")
    same_id = Signature("unknown.example", key_of(LOG).key_id, b"junk")
    data = note.add_signatures(SIGNED, [same_name, same_id])
    assert len(note.open_note(data, [verifier_of(LOG)]).signatures) == 1


def test_a_failing_signature_of_a_known_key_rejects_the_note() -> None:
    wrong = Signature(OTHER.name, key_of(OTHER).key_id, OTHER.sign(b"another text\n"))
    data = note.add_signatures(SIGNED, [wrong])
    assert note.open_note(data, [verifier_of(LOG)]).text == TEXT
    with pytest.raises(NoteError, match="does not verify"):
        note.open_note(data, [verifier_of(LOG), verifier_of(OTHER)])


def test_a_second_failing_signature_of_the_same_key_rejects_the_note() -> None:
    wrong = Signature(LOG.name, key_of(LOG).key_id, LOG.sign(b"another text\n"))
    with pytest.raises(NoteError, match="does not verify"):
        note.open_note(note.add_signatures(SIGNED, [wrong]), [verifier_of(LOG)])


def test_a_note_that_no_trusted_key_signed_is_rejected() -> None:
    with pytest.raises(NoteError, match="no trusted key"):
        note.open_note(SIGNED, [verifier_of(OTHER)])
    with pytest.raises(NoteError, match="no trusted key"):
        note.open_note(SIGNED, [])


def test_two_trusted_keys_of_one_name_and_id_are_refused() -> None:
    class CollidingKey(VerifierKey):
        @property
        def key_id(self) -> bytes:
            return key_of(LOG).key_id

    collision = CollidingKey(LOG.name, SignatureType.ED25519, key_of(OTHER).public)
    with pytest.raises(NoteError, match="share an id"):
        note.open_note(SIGNED, [verifier_of(LOG), Ed25519Verifier(collision)])


def test_sixteen_signatures_are_accepted_and_far_more_are_not() -> None:
    signers = [Ed25519Signer(f"w{n}.example", bytes([n]) * 32) for n in range(16)]
    data = note.sign_note(TEXT, signers)
    opened = note.open_note(data, [verifier_of(signer) for signer in signers])
    assert len(opened.signatures) == 16
    junk = [Signature("unknown.example", b"abcd", b"%d" % n) for n in range(100)]
    with pytest.raises(NoteError, match="100"):
        note.add_signatures(data, junk)
    lines = "".join(signature.line() for signature in junk)
    with pytest.raises(NoteError, match="at most"):
        note.open_note(SIGNED + lines.encode(), [verifier_of(LOG)])


def test_the_text_may_hold_empty_lines_and_ends_at_the_last_one() -> None:
    for text in (b"one\n\ntwo\n", b"one\n\n", b"\n", b"\n\n\n"):
        data = note.sign_note(text, [LOG])
        assert note.open_note(data, [verifier_of(LOG)]).text == text


def test_a_note_within_the_text_of_a_note_lends_it_no_signature() -> None:
    outer = note.sign_note(SIGNED, [OTHER])
    assert note.open_note(outer, [verifier_of(OTHER)]).text == SIGNED
    with pytest.raises(NoteError, match="no trusted key"):
        note.open_note(outer, [verifier_of(LOG)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        TEXT,
        TEXT + b"\n",  # no signature
        TEXT + LINE.encode(),  # no empty line
        SIGNED[:-1],  # no newline at the end
        SIGNED + b"\n",  # an empty line at the end
        SIGNED.replace(b"\n", b"\r\n"),
        SIGNED.replace("—".encode(), b"--"),
        SIGNED.replace("—".encode(), "–".encode()),  # an en dash
        SIGNED.replace("— ".encode(), "—".encode()),
        SIGNED.replace("— ".encode(), "—  ".encode()),
        SIGNED.replace(LOG.name.encode(), b""),
        SIGNED.replace(LOG.name.encode(), b"a+b"),
        SIGNED.replace(LOG.name.encode(), "a\u00a0b".encode()),
        SIGNED.replace(LOG.name.encode(), b"a b"),
        SIGNED[:-1] + b" \n",
        SIGNED[:-2] + b"\n",  # base64 without its padding
        SIGNED[:-2] + b"*\n",
        SIGNED.replace(LOG.name.encode() + b" ", LOG.name.encode() + b"  "),
        TEXT + "\n— log.example AAAAAA==\n".encode(),  # a key id and nothing after it
        TEXT + "\n— log.example AAA=\n".encode(),
        TEXT + "\n— log.example \n".encode(),
        TEXT + "\n— log.example\n".encode(),
        TEXT + b"\x00\n" + SIGNED[len(TEXT) :],
        TEXT + b"\t\n" + SIGNED[len(TEXT) :],
        b"\xff\n" + SIGNED[len(TEXT) :],  # not UTF-8
        b"\xed\xa0\x80\n" + SIGNED[len(TEXT) :],  # a lone surrogate
        SIGNED + b"a line that is no signature\n",
        b"a" * note.NOTE_SIZE_MAX + SIGNED,
    ],
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        note.open_note(data, [verifier_of(LOG)])
    with pytest.raises(NoteError):
        Note.parse(data)


def test_base64_with_stray_bits_is_refused_so_that_a_note_has_one_spelling() -> None:
    data = key_of(LOG).key_id + LOG.sign(TEXT)
    assert len(data) % 3 == 2
    canonical = base64.b64encode(data).decode()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = canonical[:-2] + alphabet[alphabet.index(canonical[-2]) ^ 1] + "="
    assert base64.b64decode(stray) == data
    with pytest.raises(NoteError, match="canonical"):
        Note.parse(TEXT + f"\n— {LOG.name} {stray}\n".encode())


@given(st.integers(0, len(SIGNED) * 8 - 1))
def test_no_flipped_bit_leaves_a_note_that_opens(bit: int) -> None:
    changed = bytearray(SIGNED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NoteError):
        note.open_note(bytes(changed), [verifier_of(LOG)])


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.just("\n")),
    st.lists(st.sampled_from([LOG, OTHER]), min_size=1, max_size=3),
)
def test_every_valid_text_comes_back_as_it_was_signed(
    text: str, signers: list[Ed25519Signer]
) -> None:
    signed = text.encode() + b"\n"
    data = note.sign_note(signed, signers)
    assert note.open_note(data, map(verifier_of, signers)).text == signed
    assert Note.parse(data).encode() == data


@pytest.mark.parametrize("text", [b"", b"no newline", b"\xff\n", b"tab\t\n", b"\r\n"])
def test_a_text_that_makes_no_note_is_not_signed(text: bytes) -> None:
    with pytest.raises(NoteError):
        note.sign_note(text, [LOG])


def test_a_note_without_a_signer_is_not_made() -> None:
    with pytest.raises(NoteError, match="1 to 100"):
        note.sign_note(TEXT, [])


def test_a_cosigners_key_does_not_sign_plain_notes() -> None:
    cosigner = Ed25519Signer("w.example", b"\x01" * 32, SignatureType.COSIGNATURE)
    with pytest.raises(NoteError, match="type 01"):
        note.sign_note(TEXT, [cosigner])


class FaultySigner:
    """A signer whose hardware flips a bit."""

    name = LOG.name
    vkey = LOG.vkey

    def sign(self, message: bytes) -> bytes:
        good = bytearray(LOG.sign(message))
        good[40] ^= 1
        return bytes(good)


class RenamedSigner(FaultySigner):
    """A signer that is configured with another key's name."""

    name = "other.example"


@pytest.mark.parametrize("signer", [FaultySigner(), RenamedSigner()])
def test_a_signature_that_is_not_the_keys_never_goes_out(signer: note.Signer) -> None:
    with pytest.raises(NoteError):
        note.sign_note(TEXT, [signer])


def test_adding_a_signature_twice_adds_it_once_and_changes_nothing_above() -> None:
    line = Note.parse(note.sign_note(TEXT, [OTHER])).signatures
    once = note.add_signatures(SIGNED, line)
    assert once.startswith(SIGNED)
    assert note.add_signatures(once, line) == once


def test_the_lines_of_a_witness_are_read_alone() -> None:
    assert note.parse_signatures(LINE.encode()) == Note.parse(SIGNED).signatures
    for data in (b"", b"\n", LINE.encode()[:-1], b"\n" + LINE.encode()):
        with pytest.raises(NoteError):
            note.parse_signatures(data)
