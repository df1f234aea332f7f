"""Policies of verifiers: the file, the quorum, and checkpoints held to them (C2SP tlog-policy)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.ledger import cosignature, note
from dataexchange.ledger.checkpoint import Checkpoint, CheckpointError, sign_checkpoint
from dataexchange.ledger.cosignature import MLDSA44Signer
from dataexchange.ledger.log_key import sign_by_all
from dataexchange.ledger.note import Ed25519Signer, NoteError, SignatureType, VerifierKey
from dataexchange.ledger.policy import Policy, PolicyError, UnmetPolicyError

ORIGIN = "exchange.example/log"
LOG = Ed25519Signer(ORIGIN, b"\x01" * 32)
OTHER_LOG = Ed25519Signer("other.example/log", b"\x02" * 32)
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(range(32)))
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
WITNESSES = {
    name: Ed25519Signer(f"{name}.example", bytes([9, at]) * 16, SignatureType.COSIGNATURE)
    for at, name in enumerate(NAMES)
}
LINES = [f"log {LOG.vkey}", *(f"witness {name} {one.vkey}" for name, one in WITNESSES.items())]
GROUPS = [
    "group X-witnesses 2 X1 X2 X3",
    "group Y-witnesses any Y1 Y2 Y3",
    "group X-and-Y all X-witnesses Y-witnesses",
    "quorum X-and-Y",
]


def policy_of(*lines: str) -> Policy:
    return Policy.parse("".join(f"{line}\n" for line in lines).encode())


def cosigned(*names: str, time_seconds: int = 5) -> bytes:
    signatures = [cosignature.cosign(CHECKPOINT, WITNESSES[name], time_seconds) for name in names]
    return note.add_signatures(sign_checkpoint(CHECKPOINT, LOG), signatures)


EXAMPLE = policy_of(*LINES, *GROUPS)


def test_the_specifications_example_asks_for_two_of_x_and_one_of_y() -> None:
    verified = EXAMPLE.verify(cosigned("X1", "X3", "Y2"))
    assert verified.checkpoint == CHECKPOINT
    assert verified.logs == (VerifierKey.parse(LOG.vkey),)
    assert verified.cosigned_at_seconds == {"X1": 5, "X3": 5, "Y2": 5}


@pytest.mark.parametrize(
    "names", [(), ("X1", "X2"), ("X1", "X2", "X3"), ("X1", "Y1"), ("Y1", "Y2", "Y3")]
)
def test_fewer_witnesses_than_the_quorum_do_not_make_a_checkpoint(names: tuple[str, ...]) -> None:
    with pytest.raises(UnmetPolicyError, match="quorum"):
        EXAMPLE.verify(cosigned(*names))


@given(st.sets(st.sampled_from(NAMES)))
def test_the_quorum_is_met_exactly_by_the_sets_that_the_groups_describe(agreed: set[str]) -> None:
    expected = sum(name[0] == "X" for name in agreed) >= 2 and any(n[0] == "Y" for n in agreed)
    assert EXAMPLE.is_met_by(agreed) is expected


@given(st.sets(st.sampled_from(NAMES)), st.integers(1, 6))
def test_a_group_counts_to_its_threshold(agreed: set[str], threshold: int) -> None:
    policy = policy_of(*LINES, f"group G {threshold} {' '.join(NAMES)}", "quorum G")
    assert policy.is_met_by(agreed) is (len(agreed) >= threshold)


def test_the_name_of_a_group_is_not_a_witness() -> None:
    assert not EXAMPLE.is_met_by({"X-and-Y", "X-witnesses", "Y-witnesses"})


def test_one_witness_that_signs_twice_counts_once_with_its_latest_time() -> None:
    again = cosignature.cosign(CHECKPOINT, WITNESSES["X1"], 9)
    data = note.add_signatures(cosigned("X1", "Y1"), [again])
    with pytest.raises(UnmetPolicyError):
        EXAMPLE.verify(data)
    assert policy_of(*LINES, "quorum X1").verify(data).cosigned_at_seconds == {"X1": 9, "Y1": 5}


def test_a_single_witness_can_be_the_quorum() -> None:
    policy = policy_of(*LINES, "quorum Y2")
    policy.verify(cosigned("Y2"))
    with pytest.raises(UnmetPolicyError):
        policy.verify(cosigned("Y1"))


def test_quorum_none_asks_for_the_log_alone() -> None:
    policy = policy_of(LINES[0], "quorum none")
    assert policy.verify(cosigned()).checkpoint == CHECKPOINT
    assert Policy.of_log(VerifierKey.parse(LOG.vkey)) == policy


def test_witnesses_without_the_log_make_no_checkpoint() -> None:
    signed = [cosignature.cosign(CHECKPOINT, one, 5) for one in WITNESSES.values()]
    data = note.Note(CHECKPOINT.text(), tuple(signed)).encode()
    with pytest.raises(UnmetPolicyError, match="no key of the policy"):
        EXAMPLE.verify(data)
    with pytest.raises(UnmetPolicyError, match="no key of the policy"):
        policy_of(*LINES[1:], "quorum X1").verify(data)  # a policy may know no log


def test_a_known_log_does_not_vouch_for_another_logs_origin() -> None:
    policy = policy_of(LINES[0], f"log {OTHER_LOG.vkey}", "quorum none")
    data = note.sign_note(CHECKPOINT.text(), [OTHER_LOG])
    with pytest.raises(UnmetPolicyError, match="no key of the policy"):
        policy.verify(data)


def test_any_of_the_listed_logs_will_do_unless_the_origin_is_given() -> None:
    policy = policy_of(LINES[0], f"log {OTHER_LOG.vkey}", "quorum none")
    other = Checkpoint(OTHER_LOG.name, 7, bytes(32))
    data = sign_checkpoint(other, OTHER_LOG)
    assert policy.verify(data).checkpoint == other
    assert policy.verify(data, origin=OTHER_LOG.name).checkpoint == other
    with pytest.raises(UnmetPolicyError, match="not of exchange"):
        policy.verify(data, origin=ORIGIN)


def test_either_of_two_keys_of_one_log_will_do() -> None:
    rotated = Ed25519Signer(ORIGIN, b"\x03" * 32)
    policy = policy_of(LINES[0], f"log {rotated.vkey}", "quorum none")
    for signer in (LOG, rotated):
        assert policy.verify(sign_checkpoint(CHECKPOINT, signer)).logs == (
            VerifierKey.parse(signer.vkey),
        )


def test_a_log_that_is_known_by_two_schemes_signs_with_both() -> None:
    quantum = MLDSA44Signer(ORIGIN, b"\x04" * 32)
    policy = policy_of(LINES[0], f"log {quantum.vkey}", "quorum none")
    both = sign_by_all(CHECKPOINT, [LOG, quantum])
    keys = tuple(VerifierKey.parse(one.vkey) for one in (LOG, quantum))
    assert policy.verify(both).logs == keys
    for one, missing in ((LOG, "06"), (quantum, "01")):
        with pytest.raises(UnmetPolicyError, match=f"type {missing}"):
            policy.verify(sign_by_all(CHECKPOINT, [one]))
    for one in keys:  # who knows one scheme only is content with it
        assert Policy.of_log(one).verify(both).logs == (one,)


def test_one_scheme_does_not_make_up_for_the_other_that_fails() -> None:
    quantum = MLDSA44Signer(ORIGIN, b"\x04" * 32)
    policy = policy_of(LINES[0], f"log {quantum.vkey}", "quorum none")
    other = Checkpoint(ORIGIN, 8, CHECKPOINT.root)
    (_, wrong) = note.Note.parse(sign_by_all(other, [LOG, quantum])).signatures
    good = sign_by_all(CHECKPOINT, [LOG])
    with pytest.raises(NoteError, match="does not verify"):
        policy.verify(note.add_signatures(good, [wrong]))


def test_logs_and_witnesses_may_sign_with_ml_dsa_44() -> None:
    log, witness = MLDSA44Signer(ORIGIN, b"\x04" * 32), MLDSA44Signer("w", b"\x05" * 32)
    policy = policy_of(f"log {log.vkey}", f"witness W {witness.vkey}", "quorum W")
    signed = [cosignature.cosign(CHECKPOINT, one, 5) for one in (log, witness)]
    data = note.Note(CHECKPOINT.text(), tuple(signed)).encode()
    assert policy.verify(data).cosigned_at_seconds == {"W": 5}
    with pytest.raises(UnmetPolicyError):
        policy.verify(note.Note(CHECKPOINT.text(), (signed[0],)).encode())


def test_a_known_witness_whose_signature_fails_rejects_the_checkpoint() -> None:
    other = Checkpoint(ORIGIN, 8, CHECKPOINT.root)
    wrong = cosignature.cosign(other, WITNESSES["Y3"], 5)
    data = note.add_signatures(cosigned("X1", "X2", "Y1"), [wrong])
    with pytest.raises(NoteError, match="does not verify"):
        EXAMPLE.verify(data)


def test_a_note_that_is_no_checkpoint_meets_no_policy() -> None:
    with pytest.raises(CheckpointError):
        Policy.of_log(VerifierKey.parse(LOG.vkey)).verify(note.sign_note(b"text\n", [LOG]))


def test_blanks_comments_and_urls_are_allowed() -> None:
    x1 = WITNESSES["X1"].vkey
    policy = policy_of(
        "# the exchange, 交易所",
        "",
        " \t ",
        f"\tlog   {LOG.vkey}\thttps://exchange.example/ ",
        "   # a witness",
        f"witness\tX1 {x1} https://x1.example/",
        " quorum X1 ",
    )
    assert policy.verify(cosigned("X1")).cosigned_at_seconds == {"X1": 5}


def test_names_are_opaque_octets() -> None:
    x1, x2 = WITNESSES["X1"].vkey, WITNESSES["X2"].vkey
    kelvin = b"\xe2\x84\xaa"
    lines = [b"witness K %b" % x1.encode(), b"witness %b %b" % (kelvin, x2.encode())]
    policy = Policy.parse(b"\n".join([LINES[0].encode(), *lines, b"quorum K", b""]))
    policy.verify(cosigned("X1"))
    with pytest.raises(UnmetPolicyError):
        policy.verify(cosigned("X2"))
    broken = b"witness \xff\xfe " + x1.encode()  # not even UTF-8
    policy = Policy.parse(b"\n".join([LINES[0].encode(), broken, b"quorum \xff\xfe", b""]))
    policy.verify(cosigned("X1"))


def test_a_deep_chain_of_groups_is_settled_without_recursion() -> None:
    depth = 5_000
    chain = [f"group g{at} any g{at - 1}" for at in range(1, depth)]
    policy = policy_of(*LINES, "group g0 any X1", *chain, f"quorum g{depth - 1}")
    assert policy.is_met_by({"X1"})
    assert not policy.is_met_by({"X2"})


def test_32_logs_32_witnesses_and_32_groups_fit() -> None:
    seeds = [bytes([77, at]) * 16 for at in range(64)]
    logs = [f"log {Ed25519Signer(f'l{at}', seeds[at]).vkey}" for at in range(32)]
    witnesses = [
        f"witness w{at} {Ed25519Signer('w', seeds[32 + at], SignatureType.COSIGNATURE).vkey}"
        for at in range(32)
    ]
    groups = [f"group g{at} any w{at}" for at in range(31)]
    members = " ".join(f"g{at}" for at in range(31))
    policy = policy_of(*logs, *witnesses, *groups, f"group g31 16 {members}", "quorum g31")
    assert policy.is_met_by({f"w{at}" for at in range(16)})
    assert not policy.is_met_by({f"w{at}" for at in range(15)})


X1, X2 = WITNESSES["X1"], WITNESSES["X2"]
X1_SEED = bytes([9, 0]) * 16
X1_RENAMED = Ed25519Signer("renamed.example", X1_SEED, SignatureType.COSIGNATURE)
X1_AS_LOG = Ed25519Signer("x1.example/log", X1_SEED)
LOG_AS_WITNESS = Ed25519Signer("log.example", b"\x01" * 32, SignatureType.COSIGNATURE)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [LINES[0]],  # no quorum
        ["quorum none", "quorum none"],
        [*LINES, "quorum X1", "quorum X2"],
        ["quorum"],
        ["quorum none none"],
        ["quorum X1", *LINES],  # defined only below
        ["quorum missing"],
        ["quorum " + X1.vkey],
        ["Quorum none"],
        ["lgo x", "quorum none"],
        ["log", "quorum none"],
        ["log not-a-vkey", "quorum none"],
        [f"log {LOG.vkey} url more", "quorum none"],
        [f"log {X1.vkey}", "quorum none"],  # a cosigner's key, type 04
        [f"log {LOG.vkey}", f"log {LOG.vkey}", "quorum none"],
        ["witness X1", "quorum none"],
        [f"witness {X1.vkey}", "quorum none"],
        [f"witness X1 {X1.vkey} url more", "quorum none"],
        [f"witness X1 {LOG.vkey}", "quorum none"],  # a log's key, type 01
        [f"witness none {X1.vkey}", "quorum none"],
        [f"witness X1 {X1.vkey}", f"witness X1 {X2.vkey}", "quorum X1"],
        [f"witness X1 {X1.vkey}", f"witness X2 {X1.vkey}", "quorum X1"],
        [f"witness X1 {X1.vkey}", f"witness X2 {X1_RENAMED.vkey}", "quorum X1"],
        [f"log {X1_AS_LOG.vkey}", f"witness X1 {X1.vkey}", "quorum X1"],
        [f"witness X1 {LOG_AS_WITNESS.vkey}", f"log {LOG.vkey}", "quorum X1"],
        [*LINES, "group G", "quorum X1"],
        [*LINES, "group G any", "quorum X1"],
        [*LINES, "group G 0 X1", "quorum G"],
        [*LINES, "group G 2 X1", "quorum G"],
        [*LINES, "group G -1 X1", "quorum G"],
        [*LINES, "group G 01 X1", "quorum G"],
        [*LINES, "group G +1 X1", "quorum G"],
        [*LINES, "group G 1.0 X1", "quorum G"],
        [*LINES, "group G ١ X1", "quorum G"],
        [*LINES, "group G ALL X1", "quorum G"],
        [*LINES, "group G " + "9" * 5_000 + " X1", "quorum G"],
        [*LINES, "group G any none", "quorum G"],
        [*LINES, "group G any missing", "quorum G"],
        [*LINES, "group G any G", "quorum G"],
        [*LINES, "group X1 any X2", "quorum X1"],
        [*LINES, "group none any X2", "quorum none"],
        [*LINES, "group G 2 X1 X1", "quorum G"],  # one key, counted twice
        [*LINES, "group G any X1", "group H 2 G X1", "quorum H"],
        [*LINES, "group G any X1", "group H any X1", "group I all G H", "quorum I"],
        [*LINES, "group G any H", "group H any X1", "quorum G"],  # defined only below
        [*LINES, "group G any X1", "group G any X2", "quorum G"],
    ],
)
def test_a_policy_that_breaks_a_rule_is_refused_whole(lines: list[str]) -> None:
    with pytest.raises(PolicyError):
        policy_of(*lines)


@pytest.mark.parametrize(
    "data",
    [
        b"quorum none",  # cut short, perhaps
        b"quorum none\nwitn",
        b"quorum none\n# a comment",
        b"quorum none\r\n",
        b"quorum\x0bnone\n",
        b"quorum none\n\x00\n",
        b"# \x7f\nquorum none\n",
        "quorum\u00a0none\n".encode(),  # a space, but not one of the policy's
        b"#" * 1_000_001 + b"\nquorum none\n",
    ],
)
def test_octets_outside_the_format_are_refused(data: bytes) -> None:
    with pytest.raises(PolicyError):
        Policy.parse(data)


def test_the_message_names_the_line_at_fault() -> None:
    with pytest.raises(PolicyError, match="line 8: 'missing' is not defined"):
        policy_of(*LINES, "group G any missing", "quorum G")
