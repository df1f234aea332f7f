"""What a guarantor carries is at all times what its guarantees in force come to."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.guarantee.commitments import Carried, GuarantorBook, book_key, carried_key
from dataexchange.guarantee.exposure import Commitment, ObligorKind, exposure_of
from dataexchange.identity.party import Party
from dataexchange.rules import Role
from steps_guarantee import Guaranteed, House, approved_guarantee, guarantor_house, signing
from world import World

NET_FEN = 50_000_000_00
AMOUNTS = st.sampled_from([1_01, 1_000_000_00, 2_500_000_00, 5_000_000_00, 5_000_000_01])
ACTS = st.tuples(
    st.sampled_from(["sign", "sign", "sign", "release", "regroup"]),
    st.integers(0, 2),
    AMOUNTS,
    st.sampled_from(["small_firm", "other"]),
)
Held = list[tuple[Guaranteed, Commitment]]


def group_of(world: World, house: House, party: str) -> str | None:
    """Return the group that the guarantor counts a party in."""
    held = world.held_states().get(carried_key(house.party, party))
    if isinstance(held, Carried) and held.balance_fen:
        return held.group
    return world.state(Party, party).group


def sign(
    world: World, house: House, lender: Actor, *, obligor: Actor, debt: tuple[int, str]
) -> Guaranteed:
    amount_fen, kind = debt
    said = {"kind": kind, "creditor_actor": lender}
    guaranteed = approved_guarantee(world, house, obligor, amount_fen, **said)
    named = signing(guaranteed, world.state(Party, obligor.party).group)
    world.do(house.committee, "guarantee.signed@1", **named)
    return guaranteed


def regroup(world: World, house: House, obligor: Actor, group: str) -> None:
    """Move a party to another group, and what the guarantor carries for it along."""
    before = group_of(world, house, obligor.party)
    said = {"party": obligor.party, "group": group, "evidence": "GQ-1"}
    try:
        world.do(world.operator, "party.grouped@1", **said)
        move = {"guarantor": house.party, "obligor": obligor.party, "group": group}
        world.do(house.analyst, "exposure.regrouped@1", **move, group_before=before)
    except RefusedError:
        return


def check(world: World, house: House, held: Held) -> None:
    """Compare every aggregate with what a count of all guarantees gives."""
    now = [
        Commitment(
            one.obligor,
            one.in_force_fen,
            one.kind,
            group_of(world, house, one.obligor) or "",
        )
        for _, one in held
    ]
    counted = exposure_of(now)
    states = world.held_states()
    for obligor, balance_fen in counted.by_obligor_fen.items():
        assert world.state(Carried, carried_key(house.party, obligor)).balance_fen == balance_fen
        assert balance_fen <= NET_FEN // 10
    book = states[book_key(house.party)]
    assert isinstance(book, GuarantorBook)
    assert book.balance_fen == sum(counted.by_obligor_fen.values())
    groups = {key: s for key, s in states.items() if isinstance(s, Carried) and "/group_" in key}
    for key, carried in groups.items():
        assert carried.balance_fen == counted_in(key.rsplit("/", 1)[1], now)


def counted_in(group: str, commitments: list[Commitment]) -> int:
    """Return the sum of the rounded balances of a group's members."""
    members = [one for one in commitments if one.group == group]
    return sum(exposure_of(members).by_obligor_fen.values())


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTS, max_size=16))
def test_the_aggregates_are_what_a_count_of_all_guarantees_gives(
    acts: list[tuple[str, int, int, str]],
) -> None:
    world = World()
    house = guarantor_house(world, NET_FEN)
    lender = world.join(Role.LENDER)
    obligors = [world.join(Role.PROVIDER, small_or_farm=True) for _ in range(3)]
    groups = [new_id("group") for _ in range(2)]
    held: Held = []
    for name, which, amount_fen, kind in acts:
        obligor = obligors[which]
        if name == "sign":
            try:
                guaranteed = sign(world, house, lender, obligor=obligor, debt=(amount_fen, kind))
            except RefusedError:
                continue
            held.append((guaranteed, Commitment(obligor.party, amount_fen, ObligorKind(kind))))
        elif name == "release" and held:
            guaranteed, one = held.pop(which % len(held))
            said = {**guaranteed.named, "group": group_of(world, house, one.obligor)}
            world.do(lender, "guarantee.released@1", **said, reason="债务已清偿")
        elif name == "regroup":
            regroup(world, house, obligor, groups[amount_fen % 2])
        check(world, house, held)
