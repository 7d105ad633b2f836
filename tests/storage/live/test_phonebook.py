"""What the SIP door finds, over all VDNs, and when it has to be read anew."""

from __future__ import annotations

from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.storage.live import directory, seed
from sottovoce.storage.live.passwords import Passwords
from sottovoce.storage.live.phonebook import Phonebook


async def test_accounts_and_numbers_of_all_vdns(two_vdns: AsyncEngine) -> None:
    book = Phonebook()
    assert book.account("8001") is None
    book.read([await directory.profile(two_vdns, vdn) for vdn in await directory.vdn_ids(two_vdns)])
    found = book.account("other-8001")
    assert found is not None
    assert (found[0].number, found[1]) == ("8001", VdnId(2))
    assert book.account("8002") is None
    assert (book.route("4000"), book.route("5000"), book.route("6000")) == (1, 2, None)
    book.read([await directory.profile(two_vdns, VdnId(1))])
    assert (book.account("other-8001"), book.route("5000")) == (None, None)


async def test_every_change_of_the_directory_raises_its_revision(
    two_vdns: AsyncEngine, two_vdns_yaml: str
) -> None:
    passwords = Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    first = await directory.revision(two_vdns)
    await directory.import_seed(two_vdns, seed.parse(two_vdns_yaml), passwords, "test.example")
    assert await directory.revision(two_vdns) == first, "nothing changed"
    changed = two_vdns_yaml.replace("name: Ann", "name: Anne")
    await directory.import_seed(two_vdns, seed.parse(changed), passwords, "test.example")
    await directory.set_password(two_vdns, AgentId(101), "hash")
    assert await directory.revision(two_vdns) > first + 1
