"""Content is opened by those who have it: the hash of another's file opens nothing."""

import hashlib

from dataexchange.rules import Role
from exchanges import Door
from problems import assert_problem
from steps_pipeline import content as committed
from steps_pipeline import registered_resource


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_naming_a_hash_in_an_aggregate_of_ones_own_opens_nothing(door: Door) -> None:
    """The hash of another's file is public; whoever names it has not shown to have the file."""
    victim, thief = door.world.join(Role.PROVIDER), door.world.join(Role.PROVIDER)
    await door.tell()
    secret = b"a file of the victim's"
    headers = door.bearer(victim)
    await door.http.put(f"/v1/content/{sha256(secret)}", content=secret, headers=headers)
    asset = registered_resource(door.world, thief, level="enterprise").asset
    named = {**committed(2), "files": [], "manifest": sha256(secret)}
    door.world.do(thief, "resource.version_added@1", asset=asset, number=2, content=named)
    await door.tell()
    path = f"/v1/content/{sha256(secret)}/of/version/{asset}/2"
    assert_problem(await door.get(path, thief), 404, "content.not_found")
    await door.http.put(f"/v1/content/{sha256(secret)}", content=secret, headers=door.bearer(thief))
    assert (await door.get(path, thief)).content == secret  # it had the bytes after all
    assert_problem(await door.get(path, victim), 404, "content.not_found")
