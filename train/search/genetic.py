"""NSGA-II (Deb et al. 2002; the python3-deap package) over choices of branches."""
import random

import numpy as np
from deap import base, creator, tools

from search.space import GENE_MAX, decode, hand_made
from search.thresholds import Chain

creator.create("Fitness", base.Fitness, weights=(-1.0, -1.0))
creator.create("Individual", list, fitness=creator.Fitness)


def chain_of(table, cost, branches, rows):
    """The chain of these branches and the backbone's own last exit, on some of the validation clips."""
    spent, costs, posteriors = 0.0, [], []
    for branch in branches:
        spent += cost.branch_us(branch, table.net(branch))
        costs.append(cost.trunk_us(branch.position) + spent)
        posteriors.append(table.rows[branch]["p"][rows].numpy())
    costs.append(cost.full_us() + spent)
    posteriors.append(np.exp(table.val_set.logits[rows].log_softmax(1).numpy()))
    return Chain.of_posteriors(posteriors, table.val_set.labels[rows].numpy(), costs)


def evaluate(individual, table, cost, rows):
    """(error in %, mean cost as a share of the hand-made network's last exit in %) at tuned thresholds."""
    branches, penalty = decode(individual)
    chain = chain_of(table, cost, branches, rows)
    accuracy, mean_cost, _ = chain.play(chain.tune(penalty))
    return 100 - accuracy, 100 * mean_cost / cost.full_us()


def random_individual():
    return creator.Individual(random.randint(0, top) for top in GENE_MAX)


def different(individuals):
    """Each architecture once: copies would crowd out all others."""
    found = {}
    for one in individuals:
        branches, penalty = decode(one)
        found.setdefault((tuple(branches), penalty), one)
    return list(found.values())


def search(table, cost, rows, population, generations, seed, log=print):
    """The front of the last generation, best first objective first. The hand-made exits are among the first."""
    random.seed(seed)
    toolbox = base.Toolbox()
    toolbox.register("mate", tools.cxTwoPoint)
    toolbox.register("mutate", tools.mutUniformInt, low=0, up=list(GENE_MAX), indpb=1.5 / len(GENE_MAX))

    def judge(individuals):
        trained = table.need([branch for one in individuals for branch in decode(one)[0]])
        for one in individuals:
            one.fitness.values = evaluate(one, table, cost, rows)
        return trained

    parents = [creator.Individual(hand_made())] + [random_individual() for _ in range(population - 1)]
    trained = judge(parents)
    parents = tools.selNSGA2(parents, population)
    for generation in range(generations + 1):
        front = tools.sortNondominated(parents, population, first_front_only=True)[0]
        log(f"generation {generation}: {trained} branches trained, {len(table.rows)} known; front "
            + " ".join(f"{100 - e:.1f}@{c:.0f}" for e, c in sorted({one.fitness.values for one in front})))
        if generation == generations:
            return sorted(front, key=lambda one: one.fitness.values)
        # selTournamentDCD takes a multiple of four
        children = [toolbox.clone(one) for one in tools.selTournamentDCD(parents, len(parents) // 4 * 4)]
        for first, second in zip(children[::2], children[1::2]):
            if random.random() < 0.9:
                toolbox.mate(first, second)
            toolbox.mutate(first)
            toolbox.mutate(second)
        trained = judge(children)
        parents = tools.selNSGA2(different(parents + children), population)
