"""Whether a certificate is true of a frame: the draw is made once more and compared. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sottovoce.domain import lots, shuffling
from sottovoce.domain.frames import WHOLE, Frame
from sottovoce.domain.lots import LONGEST_CHAIN, Keyed
from sottovoce.domain.sampling import AnyCertificate, Block, Certificate, Chain, PassedOver

_NAMED = 20
"""So many differing contacts are named, the others counted."""


def untrue(certificate: AnyCertificate, frame: Frame) -> list[str]:
    """What does not fit, one sentence each; none: the draw repeats."""
    known = lots.ALGORITHM if isinstance(certificate, Certificate) else shuffling.ALGORITHM
    if certificate.algorithm != known:
        return [f"the algorithm is {certificate.algorithm}; this program knows {known}"]
    found = []
    if frame.size != certificate.frame.size:
        found.append(f"the frame has {frame.size} contacts, the certificate says {certificate.frame.size}")
    digest = frame.sha256()
    if digest != certificate.frame.sha256:
        found.append(f"the frame's SHA-256 is {digest}, the certificate says {certificate.frame.sha256}")
    if certificate.conditions.by_agent == (WHOLE in frame.strata):
        return [*found, "the frame is not split as the conditions demand"]
    if isinstance(certificate, Certificate):
        keys, wrong = keyed(certificate.chains, certificate.blocks)
        found += wrong
        try:
            drawing = lots.drawing(frame, keys, certificate.conditions)
        except ValueError as failure:
            return [*found, f"the blocks are not the frame's: {failure}"]
    else:
        seed = bytes.fromhex(certificate.seed)
        commitment = hashlib.sha256(seed).hexdigest()
        if commitment != certificate.commitment:
            found.append(f"the seed's SHA-256 is {commitment}, the commitment {certificate.commitment}")
        drawing = shuffling.drawing(frame, seed, certificate.conditions)
    unfit = {one.contact: one.reason for one in certificate.passed_over}
    while drawing.candidates():
        drawing.looked(unfit)
    if drawing.wanted != certificate.wanted:
        found.append(f"{drawing.wanted} are to be drawn, the certificate says {certificate.wanted}")
    found += differing(drawing.drawn, certificate.contacts, "drawn again", "in the certificate")
    if tuple(drawing.passed_over) != certificate.passed_over:
        found.append(_passed(drawing.passed_over, certificate.passed_over))
    return found


def keyed(chains: Sequence[Chain], blocks: Sequence[Block]) -> tuple[list[Keyed], list[str]]:
    """The blocks with their keys, and what is wrong with blocks and chains."""
    found = []
    for chain in chains:
        if not 1 <= chain.place <= chain.length <= LONGEST_CHAIN:
            found.append(f"chain {chain.chain} has no place {chain.place}")
        elif lots.hashed(bytes.fromhex(chain.preimage), chain.place).hex() != chain.end:
            found.append(f"what is revealed of chain {chain.chain} does not lead to its end {chain.end}")
    if found:
        return [], found
    known = {chain.chain: (chain.place, bytes.fromhex(chain.preimage)) for chain in chains}
    made: list[Keyed] = []
    for block in reversed(blocks):
        place, preimage = known.get(block.chain, (0, b""))
        if not 1 <= block.place <= place:
            found.append(f"nothing is revealed of block {block.block}")
            continue
        if not block.after < block.until or (made and block.until > made[-1].after):
            found.append(f"block {block.block} does not end where the next one begins, or before")
        preimage = lots.hashed(preimage, place - block.place)
        known[block.chain] = block.place, preimage
        made.append(Keyed.of(block.after, block.until, preimage, block.words))
    return made[::-1], found


def differing(these: Sequence[int], those: Sequence[int], here: str, there: str) -> list[str]:
    """How two orders of contacts differ: who is in one alone, or else the first place with another."""
    found = []
    for some, others, where, nowhere in ((these, those, here, there), (those, these, there, here)):
        known = set(others)
        alone = [contact for contact in some if contact not in known]
        found += [f"contact {contact} is {where}, not {nowhere}" for contact in alone[:_NAMED]]
        if len(alone) > _NAMED:
            found.append(f"… and {len(alone) - _NAMED} more are {where}, not {nowhere}")
    if not found and list(these) != list(those):
        place = next(
            (place for place, pair in enumerate(zip(these, those, strict=False)) if pair[0] != pair[1]),
            min(len(these), len(those)),
        )
        found.append(f"the order differs from place {place} on")
    return found


def _passed(these: Sequence[PassedOver], those: Sequence[PassedOver]) -> str:
    wrong = {one.contact for one in those} ^ {one.contact for one in these}
    if wrong:
        return f"contacts said to be passed over whose turn it never was: {sorted(wrong)[:_NAMED]}"
    return "the contacts passed over are in another order, or in other strata"
