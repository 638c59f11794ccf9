"""What is known of branches: trained weights and answers on the validation clips."""
import torch
import torch.nn.functional as F

from search.branches import BranchNet, cosine, optimiser_of, step


def train(branches, train_set, classes, epochs, batch, distil, seed):
    """Trains branches of one position together, so that a batch is read once."""
    torch.manual_seed(seed)
    nets = [BranchNet(branch, classes) for branch in branches]
    optimiser = optimiser_of(nets)
    count = len(train_set.labels)
    schedule = cosine(optimiser, epochs * (count // batch))
    maps = train_set.maps[branches[0].position]
    for net in nets:
        net.train()
    for _ in range(epochs):
        order = torch.randperm(count)
        for start in range(0, count - batch + 1, batch):
            chosen = order[start : start + batch]
            x = maps[chosen].float()
            step(nets, [x] * len(nets), train_set.labels[chosen], train_set.logits[chosen], optimiser, schedule, distil)
    return nets


def answers(net, maps, batch=256):
    """Posteriors of every clip."""
    net.eval()
    with torch.no_grad():
        return torch.cat([F.softmax(net(part.float()), dim=1) for part in maps.split(batch)])


class Table:
    """Branches on demand; kept in a file, so that a search can go on where it was stopped. `kept`: {branch: net} of
    those that the backbone has and that stay as they are."""

    def __init__(self, path, train_set, val_set, classes, kept, epochs=4, batch=128, distil=0.5):
        self.path, self.train_set, self.val_set = path, train_set, val_set
        self.classes = classes
        self.epochs, self.batch, self.distil = epochs, batch, distil
        self.rows = torch.load(path) if path.exists() else {}
        for branch, net in kept.items():
            self.rows[branch] = {"net": net.state_dict(), "p": answers(net, val_set.maps[branch.position])}

    def need(self, branches):
        """Trains those of the branches that are not known yet. Returns how many these were."""
        missing = sorted(set(branches) - set(self.rows))
        for position in sorted({branch.position for branch in missing}):
            group = [branch for branch in missing if branch.position == position]
            nets = train(group, self.train_set, self.classes, self.epochs, self.batch, self.distil, seed=position)
            for branch, net in zip(group, nets):
                self.rows[branch] = {"net": net.state_dict(), "p": answers(net, self.val_set.maps[position])}
            torch.save(self.rows, self.path)
        return len(missing)

    def net(self, branch):
        net = BranchNet(branch, self.classes)
        net.load_state_dict(self.rows[branch]["net"])
        return net
