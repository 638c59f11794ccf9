"""Answers counted: how many are right, where they were given, and how sure that is."""
import math

Z95 = 1.959964  # of the normal distribution


def wilson(right, count):
    """The 95 % interval of a share, in % (E. B. Wilson, 1927)."""
    share, square = right / count, Z95 * Z95
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z95 / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)  # rounding may leave them just outside


class Accuracy:
    def __init__(self, flags):
        flags = list(flags)
        self.right, self.count = sum(flags), len(flags)
        self.percent = 100 * self.right / self.count
        self.interval = wilson(self.right, self.count)


class Operation:
    """A network with one delta: its accuracy, and how many clips left at each exit."""

    def __init__(self, answers, wanted, exits):
        self.accuracy = Accuracy(answer["label"] == label for answer, label in zip(answers, wanted))
        taken = [answer["exit"] for answer in answers]
        self.counts = [taken.count(number) for number in range(1, exits + 1)]
        self.mean_exit = sum(taken) / len(taken)
        self.by_label = {label: self._counts_of(label, taken, wanted, exits) for label in sorted(set(wanted))}

    @staticmethod
    def _counts_of(label, taken, wanted, exits):
        mine = [number for number, other in zip(taken, wanted) if other == label]
        return [mine.count(number) for number in range(1, exits + 1)]

    def mean_us(self, exits_us):
        """The mean time of a clip, from that of each exit."""
        return sum(count * us for count, us in zip(self.counts, exits_us)) / sum(self.counts)


def exit_accuracies(answers, wanted):
    """Each exit alone."""
    return [Accuracy(answer["exits"][i]["label"] == label for answer, label in zip(answers, wanted))
            for i in range(len(answers[0]["exits"]))]
