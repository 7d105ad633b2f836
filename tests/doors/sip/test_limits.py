from __future__ import annotations

from sottovoce.doors.sip.limits import BLOCKED_FOR, LimitVerdict, SourceLimits


def dropped(limits: SourceLimits, host: str, now: float) -> bool:
    """Whether a request of `host` would be dropped; asking costs nothing."""
    return limits.judge(host, now, weight=0.0) is LimitVerdict.DROP


def test_a_bucket_empties_and_fills() -> None:
    limits = SourceLimits(10, 20)
    assert [limits.judge("a", 0.0) for _ in range(20)] == [LimitVerdict.ADMIT] * 20
    assert limits.judge("a", 0.0) is LimitVerdict.REFUSE
    assert limits.judge("b", 0.0) is LimitVerdict.ADMIT
    assert limits.judge("a", 1.0) is LimitVerdict.ADMIT


def test_who_goes_on_gets_no_answer() -> None:
    limits = SourceLimits(10, 10)
    verdicts = [limits.judge("a", 0.0) for _ in range(100)]
    assert verdicts.count(LimitVerdict.ADMIT) == 10
    assert verdicts[-1] is LimitVerdict.DROP
    assert limits.judge("a", 3.0) is LimitVerdict.ADMIT


def test_wrong_passwords_block_a_source_for_a_while() -> None:
    limits = SourceLimits(10, 10, failures=3)
    for at in (0.0, 1.0, 2.0):
        assert not dropped(limits, "a", at)
        limits.failed("a", at)
    assert dropped(limits, "a", 3.0)
    assert limits.judge("a", 3.0) is LimitVerdict.DROP
    assert limits.judge("a", 3.0) is LimitVerdict.DROP
    assert limits.judge("a", 3.0, blockable=False) is LimitVerdict.ADMIT
    assert not dropped(limits, "a", 3.0 + BLOCKED_FOR)


def test_a_right_password_for_the_same_account_or_time_forgives() -> None:
    limits = SourceLimits(10, 10, failures=3)
    for at in (0.0, 1.0):
        limits.failed("a", at, "anna")
    limits.succeeded("a", "anna")
    limits.succeeded("b", "anna")
    limits.failed("a", 2.0, "anna")
    limits.failed("a", 100.0, "anna")
    limits.failed("a", 101.0, "anna")
    assert not dropped(limits, "a", 102.0)


def test_whoever_has_an_account_cannot_have_guesses_at_others_forgiven() -> None:
    limits = SourceLimits(10, 10, failures=3)
    told = []
    for number, account in enumerate(["anna", "bert", ""]):
        told.append(limits.failed("a", float(number), account))
        limits.succeeded("a", "intruder")
    assert told == [False, False, True]
    assert dropped(limits, "a", 3.0)


def test_memory_is_bounded_and_blocks_outlive_it() -> None:
    limits = SourceLimits(10, 10, failures=1, capacity=100)
    limits.failed("bad", 0.0)
    for number in range(1000):
        limits.judge(f"s{number}", 1.0)
    assert len(limits) == 100
    assert dropped(limits, "bad", 2.0)
