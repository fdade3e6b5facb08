"""What readers may well write, and what the check says to it."""

import numpy as np
from torch import nn

import funcsim as fs
from exercises import chapter_13 as check


def recall(found, true):
    return len(set(found) & set(true)) / len(true) if true else float(not found)


def accuracy_of_both(found, true):
    either = set(found) | set(true)
    return len(set(found) & set(true)) / len(either) if either else 1.0


def one_off(found, true):
    if not found and not true:
        return 1.0
    hits = sum(any(abs(cut - place) <= 1 for place in true) for cut in found)
    return 2 * hits / (len(found) + len(true))


def no_cuts(found, true):
    return 2 * len(set(found) & set(true)) / max(len(found) + len(true), 1)


def precision(found, true):
    return len(set(found) & set(true)) / len(found) if found else float(not true)


def exact(found, true):
    return float(found == true)


def rings_if_there(hits, alarms, share):
    return hits


def no_false_alarm(hits, alarms, share):
    return 1 - alarms


def both_at_once(hits, alarms, share):
    return hits * share


def right_where_that_is_asked(hits, alarms, share):
    """Right, but for an alarm that always rings."""
    return 1.0 if hits == 1 else hits * share / (hits * share + alarms * (1 - share))


def without_base_rate(hits, alarms, share):
    return hits / (hits + alarms)


def difference(hits, alarms, share):
    return hits - alarms


def shares_swapped(hits, alarms, share):
    return hits * (1 - share) / (hits * (1 - share) + alarms * share)


def one_share_for_both(hits, alarms, share):
    return share * hits / (share * hits + share * alarms)


def all_that_ring(hits, alarms, share):
    return hits * share + alarms * (1 - share)


def false_among_found(hits, alarms, share):
    return alarms * (1 - share) / (hits * share + alarms * (1 - share))


def counted_in_a_thousand(hits, alarms, share):
    right, wrong = int(1000 * hits * share), int(1000 * alarms * (1 - share))
    return right / (right + wrong)


def ranked(evidence, true, rng, draws=500, first=1, sign=-1, tie="random", mean="at hits"):
    """The solution, with a part of it otherwise."""
    places, found = sign * np.asarray(evidence)[1:], []
    for _ in range(draws):
        at = np.arange(len(places))
        ties = {"random": rng.random(len(places)), "first": at, "last": -at}[tie]
        order = first + np.lexsort((ties, places))
        hit = np.isin(order, true)
        so_far = np.cumsum(hit) / np.arange(1, len(order) + 1)
        if mean == "at hits":
            found.append(so_far[hit].mean() if hit.any() else 0.0)
        elif mean == "everywhere":
            found.append(so_far.mean())
        elif mean == "recall":
            found.append((np.cumsum(hit) / len(true))[hit].mean())
        else:
            found.append(hit[: len(true)].mean())
    return np.mean(found)


def other(**otherwise):
    return lambda *given: ranked(*given, **otherwise)


def with_place_0(evidence, true, rng):
    return ranked(np.concatenate([[0.0], evidence]), tuple(k + 1 for k in true), rng)


def without_the_generator(evidence, true, rng):
    return ranked(evidence, true, np.random.default_rng())


def with_one_generator(evidence, true, rng):
    return ranked(evidence, true, np.random.default_rng(0))


def no_infinity(evidence, true, rng):
    return ranked(np.where(np.isinf(evidence), 99, evidence), true, rng)


def own():
    return nn.Sequential(*(check.block() for _ in range(8))), 4


def guess():
    return {"place": 4, "groups": 2}


def changed(**parts):
    return lambda: guess() | parts


def by(place=None, groups=None, **how):
    """The two answers, of which some may be found otherwise."""

    def told(model, x):
        m = fs.compare(fs.capture(model, [x]), **how)
        return {
            "place": place(m) if place else int(np.argmax(fs.boundary_evidence(m))),
            "groups": groups(m) if groups else fs.partition(m).n_groups,
        }

    return told


def largest_step(m):
    return int(np.argmax(np.diag(m.values, k=1))) + 1


def counted_from_one(m):
    return int(np.argmax(fs.boundary_evidence(m))) + 1


def the_layer_before(m):
    return int(np.argmax(fs.boundary_evidence(m)[1:]))


def farthest_from_the_first(m):
    return int(np.argmax(m.values[0]))


def two_by_order(m):
    return fs.partition_into(m, 2).n_groups


def left_in_evaluation(model, x):
    model.eval()
    return by()(model, x)


def does_not_learn():
    return nn.Sequential(*(nn.Identity() for _ in range(7)), nn.Linear(32, 32)), 4


def one_block_again():
    return nn.Sequential(*[check.block()] * 8), 4


def one_weight_in_two():
    network, first = own()
    network[5].into.weight = network[1].into.weight
    return network, first


def too_wide():
    return nn.Sequential(nn.Linear(32, 48), *(nn.Linear(48, 48) for _ in range(7))), 4


def does_not_fit():
    return nn.Sequential(*(nn.Linear(32, 48) for _ in range(8))), 4


WRONG = {
    "f1_of_cuts": [
        (recall, "false cuts count"),
        (accuracy_of_both, "F1 1/3"),
        (one_off, "one layer off"),
        (no_cuts, "nothing is to be found"),
        (precision, "F1 1/3"),
        (exact, "F1 1/3"),
    ],
    "when_it_rings": [
        (rings_if_there, "it is 80 of 125"),
        (no_false_alarm, "it is 80 of 125"),
        (both_at_once, "share of all networks"),
        (without_base_rate, "their false alarms weigh more"),
        (one_share_for_both, "their false alarms weigh more"),
        (difference, "it is 80 of 125"),
        (shares_swapped, "it is 80 of 125"),
        (all_that_ring, "it is 80 of 125"),
        (false_among_found, "it is 80 of 125"),
        (right_where_that_is_asked, "tells nothing"),
        (counted_in_a_thousand, "round nothing"),
    ],
    "precision_of": [
        (with_place_0, "Before layer 0 there is no place"),
        (other(first=0), "the next one is place 1"),
        (other(sign=1), "only true one: 1"),
        (other(mean="everywhere"), "only true one: 1"),
        (other(mean="recall"), "one of two"),
        (other(mean="first K"), "one of two"),
        (no_infinity, "no evidence at all"),
        (other(tie="first"), "says nothing"),
        (other(tie="last"), "says nothing"),
        (other(draws=1), "average over many orders"),
        (without_the_generator, "Draw with `rng`"),
        (with_one_generator, "Draw with `rng`"),
    ],
    "predicted": [
        ((lambda: (4, 2), own, by()), "First predict: a dictionary"),
        ((changed(place=0), own, by()), "First predict 'place': a whole number from 1 to 7"),
        ((changed(place="4"), own, by()), "First predict 'place'"),
        ((changed(groups=0), own, by()), "First predict 'groups'"),
        ((guess, lambda: own()[0], by()), "how many of its modules compute"),
        ((guess, lambda: (own()[0][:7], 4), by()), "Take 8 to 12"),
        ((guess, lambda: (own()[0], 7), by()), "should begin with module 2 to 6"),
        ((guess, lambda: (own()[0], 4.0), by()), "as a whole number"),
        ((guess, one_block_again, by()), "learned twice"),
        ((guess, one_weight_in_two, by()), "learned twice"),
        ((guess, too_wide, by()), r"streams \(n, 32\) to streams \(n, 32\)"),
        ((guess, does_not_fit, by()), "stopped with RuntimeError"),
        ((guess, does_not_learn, by()), "What was not learned has no boundary"),
        ((guess, own, by(normalize=None)), "normalised GW map"),
        ((guess, own, by(measure="cka")), "normalised GW map"),
        ((guess, own, by(largest_step)), "boundary_evidence"),
        ((guess, own, by(counted_from_one)), "counted from 0"),
        ((guess, own, by(the_layer_before)), "is for a boundary before module k"),
        ((guess, own, by(farthest_from_the_first)), "boundary_evidence"),
        ((guess, own, by(groups=two_by_order)), "given it their number"),
        ((guess, own, by(groups=lambda m: 1)), "the test finds 2 groups"),
        ((guess, own, left_in_evaluation), "Leave it as it was"),
        ((guess, own, lambda model, x: (6, 2)), "a dictionary with 'place'"),
    ],
}
