from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.deliver.split import Naming, halves, isolate

SEQS = st.lists(st.integers(), min_size=2, max_size=1000, unique=True).map(tuple)


@given(SEQS)
def test_halves_are_whole_in_order_and_nearly_equal(seqs: tuple[int, ...]) -> None:
    left, right = halves(seqs)

    assert left + right == seqs
    assert 0 <= len(right) - len(left) <= 1


@given(SEQS, st.data())
def test_an_isolated_entry_stands_alone_and_the_others_keep_their_order(
    seqs: tuple[int, ...], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(seqs) - 1))

    alone, rest = isolate(seqs, place)

    assert alone == (seqs[place],)
    assert rest == tuple(seq for seq in seqs if seq != seqs[place])


def test_one_name_is_on_trial_at_a_time() -> None:
    naming = Naming()
    trusted = [naming.trusted]
    naming.accuse()
    trusted.append(naming.trusted)
    naming.judged(guilty=True)
    trusted.append(naming.trusted)

    assert trusted == [True, False, True]


def test_one_wrong_name_ends_the_trust() -> None:
    naming = Naming()
    naming.accuse()
    naming.judged(guilty=False)
    naming.accuse()
    naming.judged(guilty=True)

    assert not naming.trusted
