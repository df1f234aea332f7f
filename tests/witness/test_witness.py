"""The witness against the cases of C2SP tlog-witness."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.cosignature import MLDSA44Signer, cosigned_at_seconds, verifier_for
from dataexchange.ledger.note import (
    Ed25519Signer,
    Note,
    VerifierKey,
    add_signatures,
    open_note,
    parse_signatures,
    sign_note,
)
from dataexchange.witness import (
    AddCheckpoint,
    InconsistentError,
    MalformedRequestError,
    SizeConflictError,
    UnknownLogError,
    UntrustedCheckpointError,
    WitnessError,
)
from dataexchange.witness.judgement import known_logs
from dataexchange.witness.memory import Memory
from dataexchange.witness.protocol import origin_hash
from dataexchange.witness.witness import Witness
from foreign_log import WITNESS, ForeignLog

PROBES = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "merkle" / "consistency"
NOW_SECONDS = 1_800_000_000
VERIFIER = verifier_for(VerifierKey.parse(WITNESS.vkey))


def refuses(witness: Witness, error: type[WitnessError], body: AddCheckpoint | bytes) -> Any:
    """Return the error with which the witness refuses."""
    with pytest.raises(error) as caught:
        witness.add_checkpoint(body if isinstance(body, bytes) else body.encode())
    assert type(caught.value) is error
    return caught.value


def test_a_first_checkpoint_is_cosigned_with_the_time(log: ForeignLog, witness: Witness) -> None:
    lines = witness.add_checkpoint(log.request(0, 7).encode())
    (signature,) = parse_signatures(lines)
    assert cosigned_at_seconds(signature) == NOW_SECONDS
    opened = open_note(add_signatures(log.signed(7), [signature]), [VERIFIER])
    assert Checkpoint.parse(opened.text) == log.checkpoint(7)


def test_growth_is_cosigned_and_so_is_the_same_again(log: ForeignLog, witness: Witness) -> None:
    for old, size in ((0, 0), (0, 3), (3, 3), (3, 10), (10, 40)):
        assert witness.add_checkpoint(log.request(old, size).encode())


def test_an_old_size_that_is_not_the_last_gets_the_last(log: ForeignLog, witness: Witness) -> None:
    witness.add_checkpoint(log.request(0, 10).encode())
    for old in (0, 9, 11):
        assert refuses(witness, SizeConflictError, log.request(old, 20)).size == 10


def test_an_older_checkpoint_is_never_cosigned_again(log: ForeignLog, witness: Witness) -> None:
    witness.add_checkpoint(log.request(0, 10).encode())
    assert refuses(witness, SizeConflictError, log.request(5, 8)).size == 10
    refuses(witness, MalformedRequestError, replace(log.request(8, 8), old_size=10))


def test_an_unknown_log_is_unknown_whatever_it_signs(witness: Witness) -> None:
    other = ForeignLog("example.com/other", leaves=ForeignLog.of(5).leaves)
    refuses(witness, UnknownLogError, other.request(0, 5))


def test_a_known_name_with_an_unknown_key_is_not_trusted(witness: Witness) -> None:
    other = ForeignLog(seed=b"\x05" * 32, leaves=ForeignLog.of(5).leaves)
    refuses(witness, UntrustedCheckpointError, other.request(0, 5))


def test_a_trusted_key_whose_signature_fails_spoils_the_note(
    log: ForeignLog, witness: Witness
) -> None:
    note = Note.parse(log.signed(5))
    forged = Note(log.checkpoint(6).text(), note.signatures).encode()
    refuses(witness, UntrustedCheckpointError, AddCheckpoint(0, (), forged))


def test_signatures_of_strangers_are_ignored_and_not_kept(
    log: ForeignLog, witness: Witness
) -> None:
    stranger = Note.parse(sign_note(log.checkpoint(5).text(), [Ed25519Signer("x", b"\x09" * 32)]))
    note = add_signatures(log.signed(5), stranger.signatures)
    witness.add_checkpoint(AddCheckpoint(0, (), note).encode())
    kept = witness.last_note(origin_hash(log.origin))
    assert kept is not None
    assert [one.name for one in Note.parse(kept).signatures] == [log.origin, WITNESS.name]


def test_an_old_size_beyond_the_checkpoint_is_malformed(log: ForeignLog, witness: Witness) -> None:
    witness.add_checkpoint(log.request(0, 10).encode())
    refuses(witness, MalformedRequestError, AddCheckpoint(10, (), log.signed(9)))


def test_what_is_no_note_or_no_checkpoint_is_malformed(log: ForeignLog, witness: Witness) -> None:
    blank = log.checkpoint(5).text() + b"\nan extension\n"
    for note in (b"", b"\n", b"x\n", log.signed(5)[:-1], sign_note(blank, [log.signer])):
        refuses(witness, MalformedRequestError, AddCheckpoint(0, (), note))


def test_extension_lines_are_cosigned_and_what_follows_must_continue(
    log: ForeignLog, tmp_path: Path
) -> None:
    signers = [WITNESS, MLDSA44Signer("witness.example/w2", b"\x07" * 32)]
    vkeys = "".join(signer.vkey for signer in signers)
    keys = known_logs([VerifierKey.parse(log.signer.vkey)])
    witness = Witness(signers, keys, Memory(tmp_path / "w.sqlite", vkeys), lambda: NOW_SECONDS)
    verifiers = [verifier_for(VerifierKey.parse(signer.vkey)) for signer in signers]
    for old, size in ((0, 7), (7, 7), (7, 20)):
        extended = replace(log.checkpoint(size), extensions=("an extension", f"size {size}"))
        note = sign_checkpoint(extended, log.signer)
        request = replace(log.request(old, size), checkpoint=note)
        cosignatures = parse_signatures(witness.add_checkpoint(request.encode()))
        opened = open_note(add_signatures(note, cosignatures), verifiers)
        assert opened.signatures == cosignatures
        assert Checkpoint.parse_extended(opened.text) == extended
        # Type 04 covers the extension lines, type 06 makes no statement about them.
        bare = [
            verifier.verify(log.checkpoint(size).text(), one.value)
            for verifier, one in zip(verifiers, cosignatures, strict=True)
        ]
        assert bare == [False, True]
    forked = replace(log.fork(5).checkpoint(30), extensions=("an extension",))
    note = sign_checkpoint(forked, log.signer)
    refuses(witness, InconsistentError, AddCheckpoint(20, log.proof(20, 30), note))


def test_a_wrong_proof_is_inconsistent(log: ForeignLog, witness: Witness) -> None:
    witness.add_checkpoint(log.request(0, 10).encode())
    honest = log.request(10, 20)
    for proof in ((), honest.proof[:-1], honest.proof[::-1], (*honest.proof, bytes(32))):
        refuses(witness, InconsistentError, replace(honest, proof=proof))
    assert witness.add_checkpoint(honest.encode())


def test_a_fork_is_inconsistent_at_the_same_size_and_beyond(
    log: ForeignLog, witness: Witness
) -> None:
    witness.add_checkpoint(log.request(0, 10).encode())
    fork = log.fork(9)
    refuses(witness, InconsistentError, fork.request(10, 10))
    refuses(witness, InconsistentError, fork.request(10, 20))


def test_a_proof_from_nothing_is_empty(log: ForeignLog, witness: Witness) -> None:
    refuses(witness, InconsistentError, replace(log.request(0, 5), proof=(bytes(32),)))
    witness.add_checkpoint(log.request(0, 0).encode())
    refuses(witness, InconsistentError, replace(log.request(0, 5), proof=(bytes(32),)))


def test_an_empty_log_with_the_root_of_something_is_inconsistent(
    log: ForeignLog, witness: Witness
) -> None:
    text = log.checkpoint(5).text().replace(b"\n5\n", b"\n0\n")
    refuses(witness, InconsistentError, AddCheckpoint(0, (), sign_note(text, [log.signer])))


def test_a_log_may_have_several_keys_and_a_witness_too(log: ForeignLog, tmp_path: Path) -> None:
    second, quantum = Ed25519Signer(log.origin, b"\x08" * 32), MLDSA44Signer("w2", b"\x03" * 32)
    logs = known_logs(VerifierKey.parse(one.vkey) for one in (log.signer, second))
    memory = Memory(tmp_path / "memory", WITNESS.vkey + quantum.vkey)
    witness = Witness([WITNESS, quantum], logs, memory, lambda: NOW_SECONDS)
    witness.add_checkpoint(log.request(0, 3).encode())
    rotated = replace(log.request(3, 9), checkpoint=sign_checkpoint(log.checkpoint(9), second))
    lines = witness.add_checkpoint(rotated.encode())
    assert [one.name for one in parse_signatures(lines)] == [WITNESS.name, "w2"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 12), st.integers(0, 12)), max_size=9))
def test_all_that_is_ever_cosigned_is_one_history(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, int, int]]
) -> None:
    log = ForeignLog.of(12)
    fork = log.fork(4)
    logs = known_logs([VerifierKey.parse(log.signer.vkey)])
    memory = Memory(tmp_path_factory.mktemp("memory") / "memory", WITNESS.vkey)
    witness = Witness([WITNESS], logs, memory, lambda: NOW_SECONDS)
    cosigned: list[tuple[ForeignLog, int]] = []
    for forked, old, size in steps:
        of = fork if forked else log
        try:
            witness.add_checkpoint(of.request(min(old, size), size).encode())
        except WitnessError:
            continue
        cosigned.append((of, size))
    sizes = [size for _, size in cosigned]
    assert sizes == sorted(sizes)
    longest = cosigned[-1][0] if cosigned else log
    assert all(longest.checkpoint(size) == of.checkpoint(size) for of, size in cosigned)


def probes() -> list[Path]:
    return sorted(PROBES.rglob("*.json"))


@pytest.mark.skipif(not PROBES.exists(), reason="../shared/vectors/merkle is not there")
def test_every_public_consistency_probe_is_judged_as_it_asks(tmp_path: Path) -> None:
    log = ForeignLog()
    logs = known_logs([VerifierKey.parse(log.signer.vkey)])
    verdicts = 0
    for number, path in enumerate(probes()):
        probe = json.loads(path.read_bytes())
        first, second = (base64.b64decode(probe[name] or "") for name in ("root1", "root2"))
        proof = tuple(base64.b64decode(one) for one in probe["proof"] or ())
        sizes = probe["size1"], probe["size2"]
        if len(first) != 32 or len(second) != 32 or 0 in sizes:
            continue  # no checkpoint says so
        witness = Witness(
            [WITNESS], logs, Memory(tmp_path / f"{number}", WITNESS.vkey), lambda: NOW_SECONDS
        )
        notes = [
            sign_checkpoint(Checkpoint(log.origin, size, root), log.signer)
            for size, root in zip(sizes, (first, second), strict=True)
        ]
        witness.add_checkpoint(AddCheckpoint(0, (), notes[0]).encode())
        try:
            witness.add_checkpoint(AddCheckpoint(sizes[0], proof, notes[1]).encode())
            refused = False
        except WitnessError:
            refused = True
        assert refused is bool(probe.get("wantErr")), path
        verdicts += 1
    assert verdicts > 50
