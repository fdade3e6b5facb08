"""What readers may well write, and what the check says to it."""

import numpy as np


def over_all_places(states, mask):
    return states.mean(axis=1)


def divided_by_places(states, mask):
    return (states * mask[..., None]).mean(axis=1)


def last_token(states, mask):
    return states[:, 0]


def accuracy(answers, labels):
    return (answers == labels).mean()


def precision(answers, labels):
    return labels[answers == 1].mean() if answers.any() else 0.0


def recall(answers, labels):
    return answers[labels == 1].mean()


def variance(accuracy, n):
    return 1.96 * accuracy * (1 - accuracy) / n


def of_one(accuracy, n):
    return 1.96 * np.sqrt(accuracy * (1 - accuracy))


def standard_error(accuracy, n):
    return np.sqrt(accuracy * (1 - accuracy) / n)


def _near(x, k, first):
    return [set(np.argsort(np.linalg.norm(x - p, axis=1))[first : first + k]) for p in x]


def with_itself(x, y, k):
    pairs = list(zip(_near(x, k, 0), _near(y, k, 0), strict=True))
    return np.mean([len(a & b) / len(a | b) for a, b in pairs])


def share_of_k(x, y, k):
    return np.mean([len(a & b) / k for a, b in zip(_near(x, k, 1), _near(y, k, 1), strict=True)])


WRONG = {
    "pool_mean": [
        (over_all_places, "Padding has been counted"),
        (divided_by_places, "Divide by the number of tokens"),
        (last_token, "mean over all tokens"),
    ],
    "f1": [(accuracy, "gives? 0.5"), (precision, "its precision"), (recall, "F1 of 2/3")],
    "margin": [(variance, "a variance"), (of_one, "one answer varies"), (standard_error, "1.96 of them")],
    "kept": [(with_itself, "own neighbour"), (share_of_k, "You divide by k")],
}
