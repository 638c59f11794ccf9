#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The training's own pieces against what their sources define: gradients of the signs, TensorFlow's SAME, Bop, the
thresholds of batch norm and sign, the backbones' shapes. Skips itself where there is no PyTorch."""
import argparse
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock as mock

try:
    import torch
except ImportError:
    sys.exit(77)

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "train"))
from kwstrain import augment, commandnet, data, export, folder, layers, paper, pointwise, pool, randomise  # noqa: E402
from kwstrain import same, shipping, teacher, thresholds, training, validation, wakevalidation  # noqa: E402
from kwstrain.backbone import PooledHead  # noqa: E402
from kwstrain.bop import Bop  # noqa: E402
from kwstrain.paper import BACKBONES, PARAMETERS, parameters  # noqa: E402
from search import stamp  # noqa: E402
import set_exits  # noqa: E402


def gradient(function, values):
    x = torch.tensor(values, requires_grad=True)
    y = function(x)
    y.backward(torch.full_like(y, 3.0))
    return y.tolist(), x.grad.tolist()


class Quantizers(unittest.TestCase):
    def test_ste_sign(self):
        y, g = gradient(lambda x: layers.sign(x, 1.25), [-2.0, -1.2, -0.0, 0.0, 1.2, 1.3])
        self.assertEqual(y, [-1, -1, 1, 1, 1, 1])
        self.assertEqual(g, [0, 3, 3, 3, 3, 0])

    def test_ste_sign_of_bfloat16(self):
        for clip, within, beyond in ((1.25, 1.25, 1.2578125), (1.3, 1.296875, 1.3046875)):
            x = torch.tensor([-beyond, -within, -0.0, within, beyond], dtype=torch.bfloat16, requires_grad=True)
            y = layers.sign(x, clip)
            y.backward(torch.full_like(y, 3.0))
            self.assertEqual(y.tolist(), [-1, -1, 1, 1, 1])
            self.assertEqual(x.grad.tolist(), [0, 3, 3, 3, 0], clip)

    def test_a_convolution_as_a_product(self):
        """Small maps: the same sums, and the same gradients."""
        for stride in (1, 2):
            conv = layers.BinaryConv2d(5, 7, stride)
            inputs = [layers.sign(torch.randn(3, 5, 6, 5)).requires_grad_() for _ in range(2)]
            inputs[1].data.copy_(inputs[0].data)
            y = conv(inputs[0])
            grad = torch.randn_like(y)
            y.backward(grad)
            weight = layers.sign(conv.weight.detach(), conv.clip_at).requires_grad_()
            wanted = torch.nn.functional.conv2d(inputs[1], weight, stride=stride)
            wanted.backward(grad)
            self.assertTrue(torch.equal(y, wanted))
            self.assertTrue(torch.allclose(inputs[0].grad, inputs[1].grad, atol=1e-5))
            self.assertTrue(torch.allclose(conv.weight.grad, weight.grad, atol=1e-5))

    def test_approx_sign(self):
        y, g = gradient(layers.approx_sign, [-1.5, -0.75, -0.0, 0.25, 1.0])
        self.assertEqual(y, [-1, -1, 1, 1, 1])
        self.assertEqual(g, [0, 1.5, 6, 4.5, 0])

    def test_magnitude_aware_weights(self):
        conv = layers.BinaryConv2d(2, 3, clip=1.0, scaled=True)
        x = layers.sign(torch.randn(1, 2, 5, 5))
        with torch.no_grad():
            means = conv.weight.abs().mean((1, 2, 3)).view(1, 3, 1, 1)
            plain = torch.nn.functional.conv2d(x, conv.weight.sign())
            self.assertTrue(torch.equal(conv(x), plain * means))
        conv(x).sum().backward()
        # the gradient of the sign times the mean, none through the mean
        taps = x.unfold(2, 3, 1).unfold(3, 3, 1).sum((0, 2, 3))
        wanted = taps[None] * means.view(3, 1, 1, 1)
        self.assertTrue(torch.allclose(conv.weight.grad, wanted, atol=1e-5))

    def test_clip(self):
        conv = layers.BinaryConv2d(1, 1, clip=1.3)
        with torch.no_grad():
            conv.weight.fill_(9)
        conv.clip()
        self.assertAlmostEqual(conv.weight.max().item(), 1.3, places=6)


def gradients(function, x, parameters, weights):
    """Of sum(weights * function(x)), by x and by the parameters, as float32."""
    x = x.detach().requires_grad_()
    for parameter in parameters:
        parameter.grad = None
    (function(x).float() * weights).sum().backward()
    return [tensor.grad.float() for tensor in (x, *parameters)]


class Pointwise(unittest.TestCase):
    """bfloat16 against PyTorch in float32."""

    def setUp(self):
        torch.manual_seed(1)
        self.x = torch.randn(8, 6, 5, 7).contiguous(memory_format=torch.channels_last).bfloat16()
        self.weights = torch.randn(8, 6, 5, 7) + 0.5

    def near(self, got, wanted):
        for a, b in zip(got, wanted):
            self.assertLess((a - b).norm() / b.norm(), 0.02)

    def test_prelu(self):
        fast, slow = (torch.linspace(-0.5, 1.5, 6).requires_grad_() for _ in range(2))
        self.near(gradients(lambda x: pointwise.prelu(x, fast), self.x, [fast], self.weights),
                  gradients(lambda x: torch.nn.functional.prelu(x, slow), self.x.float(), [slow], self.weights))

    def test_crop(self):
        weights = self.weights[:, :, 1:-1]
        got = gradients(pointwise.crop, self.x, [], weights)
        self.near(got, gradients(lambda x: x[:, :, 1:-1], self.x.float(), [], weights))
        self.assertTrue(got[0].is_contiguous(memory_format=torch.channels_last))


class Recordings(unittest.TestCase):
    def setUp(self):
        try:
            import soundfile
        except ImportError:
            self.skipTest("no soundfile")
        scratch = tempfile.TemporaryDirectory(prefix="kws-recordings-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.write = lambda name, samples: soundfile.write(self.folder / name, np.asarray(samples, np.int16), data.RATE)

    def test_several_channels_are_their_mean(self):
        self.write("stereo.wav", [[100, 300], [-200, 0], [0, 50]])
        self.assertEqual(data.decode(self.folder / "stereo.wav").tolist(), [200, -100, 25])

    def test_a_recording_made_anew_is_read_anew(self):
        def clips(path):
            return [clip.tolist() for clip in data.Clips("a", [path], self.folder / "cache")]

        self.write("a.wav", [1, 2, 3])
        self.assertEqual(clips(self.folder / "a.wav"), [[1, 2, 3]])
        self.write("a.wav", [4, 5, 6])
        os.utime(self.folder / "a.wav", ns=(1, 1))  # a clock may be coarse
        self.assertEqual(clips(self.folder / "a.wav"), [[4, 5, 6]])
        (self.folder / "other").mkdir()
        self.write("other/a.wav", [7])
        here = pathlib.Path.cwd()
        self.addCleanup(os.chdir, here)
        found = []
        for where in (self.folder, self.folder / "other"):
            os.chdir(where)
            found += clips("a.wav")
        self.assertEqual(found, [[4, 5, 6], [7]])

    def test_what_gives_no_sound_is_told(self):
        self.write("empty.wav", [])
        for name, told in (("empty.wav", "holds no audio"), ("none.wav", "No such file or directory")):
            with self.assertRaisesRegex(SystemExit, f"{name}: {told}$"):
                data.Clips("a", [self.folder / name], self.folder)


class Snippets(unittest.TestCase):
    def test_where_it_is_quieter(self):
        samples = np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32)
        samples[4800:5600] *= 0.01
        lows = augment.quieter_moments(samples)
        self.assertTrue(any(30 <= low < 35 for low in lows), lows)
        self.assertTrue(all(0 < low < 99 for low in lows))

    def test_fade(self):
        faded = augment.fade(np.ones(1000, np.float32), 240)
        self.assertEqual((faded[0], faded[-1]), (0, 0))
        self.assertTrue((faded[240:-240] == 1).all() and (np.diff(faded[:240]) > 0).all())


class Teacher(unittest.TestCase):
    def test_any_network_can_teach(self):
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = pathlib.Path(folder) / "checkpoint.pt"
            with self.assertRaisesRegex(SystemExit, "no such checkpoint"):
                teacher.load(checkpoint, ["a", "b"])
            about = {"net": teacher.NAME, "labels": ["a", "b"]}
            torch.save({"net": teacher.TeacherNet(2).state_dict(), "about": about}, checkpoint)
            with self.assertRaisesRegex(SystemExit, "other labels than those to train: a b"):
                teacher.load(checkpoint, ["a", "c"])
            logits = teacher.load(checkpoint, ["a", "b"])(torch.zeros(3, 1, 98, 64))
            self.assertEqual([tuple(exit.shape) for exit in logits], [(3, 2)])


class Checkpoints(unittest.TestCase):
    """Which network a checkpoint is of, those included that did not tell."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="kws-checkpoint-")
        self.addCleanup(scratch.cleanup)
        self.path = pathlib.Path(scratch.name) / "checkpoint.pt"

    def save(self, about, net=None):
        torch.save({"net": (net or commandnet.CommandNet(len(data.LABELS))).state_dict(), "about": about}, self.path)

    def resume(self, about):
        net = commandnet.CommandNet(len(data.LABELS))
        options = argparse.Namespace(epochs=1, batches=1, init=None)
        run = training.Training(net, training.latent_adam(net, 1e-3, 1e-3), self.path.parent, options, about)
        run._save()
        return torch.load(self.path)["about"]

    def test_a_command_network_tells_its_labels(self):
        own, other = {"labels": data.LABELS}, {"labels": data.LABELS[::-1]}
        self.assertEqual(self.resume(None), None)
        self.assertEqual(self.resume(own), own)
        self.assertEqual(self.resume(own), own)
        for about in (other, {"net": "quicknet", **own}):
            with self.assertRaisesRegex(SystemExit, "of another network"):
                self.resume(about)

    def test_weights_alone_are_nothing_to_go_on_from(self):
        self.save(None)
        with self.assertRaisesRegex(SystemExit, "has weights alone"):
            self.resume({"labels": data.LABELS})

    def test_what_never_told_is_no_network_of_the_paper(self):
        self.resume(None)
        with self.assertRaisesRegex(SystemExit, "of another network"):
            self.resume({"net": "quicknet", "labels": data.LABELS})

    def test_what_is_shipped_has_the_labels_of_the_file(self):
        for about in (None, {"labels": data.LABELS}):
            self.save(about)
            self.assertFalse(commandnet.load(self.path, data.LABELS).training)
            teacher.load(self.path, data.LABELS)
        for about, net, told in (({"labels": data.LABELS[::-1]}, None, "its labels are _silence_ .* not yes"),
                                 (None, commandnet.CommandNet(3), "not a command network with 10 labels"),
                                 ({"net": "quicknet", "labels": data.LABELS}, None, "not of train_commands.py")):
            self.save(about, net)
            with self.assertRaisesRegex(SystemExit, told):
                commandnet.load(self.path, data.LABELS)

    def test_a_graph_that_computes_something_else_is_not_written(self):
        torch.manual_seed(1)
        net = commandnet.CommandNet(len(data.LABELS)).eval()
        graph = export.command_graph(net)
        windows = torch.randn(3, 1, 98, 64)
        shipping.check(graph, net, windows)
        net.heads["11"].dense.weight = torch.nn.Parameter(net.heads["11"].dense.weight / 2)
        with mock.patch.object(shipping, "command_graph", return_value=graph):
            with self.assertRaisesRegex(SystemExit, "nothing was written"):
                shipping.ship(net, data.LABELS, "card", self.path, windows)
        self.assertFalse(self.path.exists())

    def test_what_is_no_network_of_the_paper_is_refused(self):
        for about in (None, {"labels": data.LABELS}, {"net": teacher.NAME, "labels": data.LABELS}):
            self.save(about)
            with self.assertRaisesRegex(SystemExit, "not a checkpoint of train_paper.py"):
                paper.load(self.path)


class Elsewhere(torch.nn.Module):
    """A network on a device that every machine has; its answers are zeros."""

    def __init__(self, classes):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(classes, device="meta"))

    def forward(self, x):
        assert x.device.type == "meta"
        return [torch.zeros(len(x), len(self.weight))] * 2


class Validations(unittest.TestCase):
    FEATURES = np.zeros((4, 98, 64), np.float32)

    def test_on_the_network_s_device(self):
        wake = object.__new__(wakevalidation.WakeValidation)
        wake.features, wake.labels = torch.from_numpy(self.FEATURES)[:, None], torch.tensor([0, 1, 6, 7])
        self.assertRegex(wake.describe(Elsewhere(8)), "alarms of 2: 0 0$")
        whole = validation.Validation(self.FEATURES, [0, 0, 1, 1], ["yes"] * 4, ["yes", "no"])
        self.assertEqual(whole.report(Elsewhere(2))[0], [50, 50])


    def test_only_what_is_no_label_is_unseen(self):
        words = ["yes", "bird", "house", "marvin"]
        for names, told in ((["yes", "_unknown_"], "unseen:0"), (["yes", "bird", "house", "marvin"], "marvin:0$")):
            whole = validation.Validation(self.FEATURES, [0, 1, 1, 1] if len(names) == 2 else [0, 1, 2, 3], words, names)
            self.assertRegex(whole.describe(Elsewhere(len(names))), told)


class Folders(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="kws-folder-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def make(self, *names):
        for name in names:
            (self.folder / name).mkdir()
            (self.folder / name / "a.wav").touch()

    def test_noise_is_no_class(self):
        self.make("yes", "no", "_background_noise_", ".Trash-0")
        self.assertEqual(folder.classes(self.folder), ["no", "yes"])

    def test_more_classes_than_a_model_has(self):
        self.make(*(f"word{i}" for i in range(256)))
        self.assertEqual(len(folder.classes(self.folder)), 256)
        self.make("one more")
        with self.assertRaisesRegex(SystemExit, "257 folders with recordings, but a model has 256 classes at most$"):
            folder.classes(self.folder)


class Searches(unittest.TestCase):
    def test_a_folder_is_of_one_checkpoint_and_one_set_of_examples(self):
        with tempfile.TemporaryDirectory() as scratch:
            run, checkpoint = pathlib.Path(scratch) / "run", pathlib.Path(scratch) / "checkpoint.pt"
            checkpoint.write_bytes(b"one")
            for _ in range(2):
                stamp.claim(run, checkpoint, examples=100, seed=1)
            with self.assertRaisesRegex(SystemExit, "run is of a search with another seed: give another --run"):
                stamp.claim(run, checkpoint, examples=100, seed=2)
            checkpoint.write_bytes(b"two")
            with self.assertRaisesRegex(SystemExit, "another checkpoint and another examples"):
                stamp.claim(run, checkpoint, examples=200, seed=1)
            (run / stamp.NAME).rename(run / stamp.KEPT[0])
            with self.assertRaisesRegex(SystemExit, "did not tell its checkpoint"):
                stamp.claim(run, checkpoint, examples=100, seed=1)


class Exits(unittest.TestCase):
    def test_without_kws_the_model_stays_as_it_is(self):
        with tempfile.TemporaryDirectory() as scratch:
            model = pathlib.Path(scratch) / "model.safetensors"
            model.write_bytes(b"old")
            problem = set_exits.replace(model, b"new", scratch + "/kws")
            self.assertRegex(problem, "/kws: No such file or directory")
            self.assertEqual([(path.name, path.read_bytes()) for path in model.parent.iterdir()], [(model.name, b"old")])


class Same(unittest.TestCase):
    def test_pads(self):
        # (extent, kernel, stride): of QuickNet's stem, depthwise convolution and blurs, and of the 7x7 stems
        known = {(98, 3, 2): (0, 1), (49, 3, 2): (1, 1), (32, 3, 2): (0, 1), (24, 3, 2): (0, 1), (15, 3, 2): (1, 1),
                 (5, 3, 2): (1, 1), (98, 7, 2): (2, 3), (25, 3, 1): (1, 1), (4, 1, 1): (0, 0), (2, 1, 2): (0, 0)}
        for sizes, pads in known.items():
            self.assertEqual(same.same_pad(*sizes), pads, sizes)

    def test_pools_leave_the_padding_out(self):
        x = torch.full((1, 1, 3, 3), -2.0)
        self.assertTrue(torch.equal(same.max_pool_same(x, 3, 2), torch.full((1, 1, 2, 2), -2.0)))
        self.assertTrue(torch.equal(same.avg_pool_same(x, 2, 2), torch.full((1, 1, 2, 2), -2.0)))


class Optimisers(unittest.TestCase):
    def test_bop_flips_what_is_pulled_long_enough(self):
        weight = torch.nn.Parameter(torch.tensor([1.0, -1.0, 1.0]))
        bop = Bop([weight], gamma=0.5, threshold=0.6)
        weight.grad = torch.tensor([1.0, 1.0, -1.0])
        bop.step()  # means 0.5, 0.5, -0.5
        self.assertEqual(weight.tolist(), [1, -1, 1])
        bop.step()  # 0.75: only the first agrees with its weight, which the gradient wants smaller
        self.assertEqual(weight.tolist(), [-1, -1, 1])

    def test_binary_weights_stay_binary(self):
        net = BACKBONES["quicknet"](3, latent=False, **randomise.TINY["quicknet"][1])
        optimisers = training.bop_adam(net, 0.1, 1e-9, 1e-3)
        before = [conv.weight.clone() for conv in net.binary_convs()]
        for _ in range(3):
            training.losses(net(randomise.windows(4, 21, 18, 1)), torch.tensor([0, 1, 2, 0]), 0.5).backward()
            for optimiser in optimisers:
                optimiser.step()
        self.assertTrue(all((conv.weight.abs() == 1).all() for conv in net.binary_convs()))
        self.assertTrue(any((conv.weight != old).any() for conv, old in zip(net.binary_convs(), before)))


class Thresholds(unittest.TestCase):
    CHANNELS = 40

    def setUp(self):
        torch.manual_seed(3)
        self.norm = torch.nn.BatchNorm2d(self.CHANNELS, eps=1e-5).eval()
        with torch.no_grad():
            self.norm.weight.normal_()
            self.norm.weight[:8] = 0
            self.norm.bias.normal_()
            self.norm.running_mean.normal_(0, 50)
            self.norm.running_var.uniform_(1, 900)

    def negative(self, x):
        """x: (values, channels)"""
        with torch.no_grad():
            return np.stack([self.norm(torch.from_numpy(row).view(1, -1, 1, 1)).flatten().numpy() < 0 for row in x])

    def test_every_integer(self):
        threshold, flip = thresholds.find(self.norm, np.full(self.CHANNELS, True))
        x = np.arange(-32768, 32768, dtype=np.float32)[:, None]
        with torch.no_grad():
            y = self.norm(torch.from_numpy(x).view(-1, 1, 1, 1).expand(-1, self.CHANNELS, 1, 1)).flatten(1).numpy()
        np.testing.assert_array_equal((x < threshold) != flip, y < 0)
        self.assertTrue((flip & (self.norm.weight.detach().numpy() < 0)).any())
        self.assertTrue((threshold == np.rint(threshold)).all() and (np.abs(threshold) <= 32768).all())

    def test_the_floats_beside(self):
        threshold, flip = thresholds.find(self.norm, np.full(self.CHANNELS, False))
        low, high = np.float32(-np.inf), np.float32(np.inf)
        with np.errstate(over="ignore"):
            x = np.stack([threshold, np.nextafter(threshold, low), np.nextafter(threshold, high), 0 * threshold, -0.0 * threshold])
        x = np.nan_to_num(x.astype(np.float32))
        np.testing.assert_array_equal((x < threshold) != flip, self.negative(x))


class Pool(unittest.TestCase):
    """What make_pool.py writes and train_paper.py --pool reads."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="kws-pool-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def test_features_keep_half_a_step(self):
        features = np.linspace(pool.LOW, pool.HIGH, 98 * 64, dtype=np.float32).reshape(1, 98, 64)
        pool.write(self.folder, "val", 0, features, [7])
        stored, labels = pool.read(self.folder, "val")
        self.assertLessEqual(np.abs(pool.restore(stored.all()) - features).max(), 0.5001 * pool.STEP)
        self.assertEqual(labels.tolist(), [7])

    def test_an_epoch_goes_round(self):
        """Two files, two workers: every example once in each round, with its own label."""
        values = np.arange(6, dtype=np.float32)
        for number in (0, 1):
            mine = values[3 * number : 3 * number + 3]
            pool.write(self.folder, "train", number, np.broadcast_to(0.5 * mine[:, None, None], (3, 98, 64)), mine)
        examples = pool.PoolExamples(self.folder, batch=3, count=4, seed=1)
        loader = torch.utils.data.DataLoader(examples, batch_size=None, num_workers=2)
        seen = []
        for features, labels in loader:
            self.assertEqual(features.shape, (3, 1, 98, 64))
            found = features.median(3).values.median(2).values.flatten()  # the masks leave most of a clip alone
            self.assertLess((found - 0.5 * labels).abs().max(), 0.45)
            seen += labels.tolist()
        self.assertEqual(sorted(seen), sorted(2 * values.astype(int).tolist()))
        first = [labels.tolist() for _, labels in examples]
        examples.epoch = 1
        self.assertNotEqual(first, [labels.tolist() for _, labels in examples])

    def test_a_pool_is_not_added_to(self):
        pool.begin(self.folder / "new")
        pool.begin(self.folder / "new")
        pool.write_index(self.folder / "new", ["a"], [])
        with self.assertRaisesRegex(SystemExit, "new holds a pool already"):
            pool.begin(self.folder / "new")

    def test_refusals(self):
        for read in (lambda: pool.read(self.folder, "val"), lambda: pool.read_index(self.folder)):
            with self.assertRaisesRegex(SystemExit, "make_pool.py"):
                read()


class Backbones(unittest.TestCase):
    def test_sizes(self):
        for name, make in BACKBONES.items():
            net = make(10)
            self.assertLess(abs(parameters(net) / PARAMETERS[name] - 1), 0.01, name)
            self.assertEqual(len(net.heads), 5)

    def test_the_head_of_the_file_is_the_trained_one(self):
        """Its mean, the gradient of that, and the standardised means in the dense layer."""
        head = PooledHead(4, 3)
        head(3 + torch.randn(8, 4, 5, 3))  # sets what the means are standardised by
        head.eval()
        x = [torch.randn(2, 4, 5, 3) for _ in range(2)]
        x[1] = x[0].clone()
        for one in x:
            one.requires_grad_()
        logits = head(x[0]), head.folded()(x[1].relu().mean((2, 3)))
        self.assertTrue(torch.allclose(*logits, atol=1e-5))
        for z in logits:
            z.square().sum().backward()
        self.assertTrue(torch.allclose(x[0].grad, x[1].grad, atol=1e-5))

    def test_some_exits(self):
        for name, make in BACKBONES.items():
            sizes = randomise.TINY[name][1]
            torch.manual_seed(1)
            whole = make(3, **sizes).eval()
            torch.manual_seed(1)
            second = make(3, exits=[2], **sizes).eval()
            self.assertLess(len(second.steps), len(whole.steps))
            windows = randomise.windows(2, *randomise.TINY[name][0], 1)
            with torch.no_grad():
                logits = second(windows)
                self.assertEqual(len(logits), 1)
                self.assertTrue(torch.equal(logits[0], whole(windows)[1]), name)


if __name__ == "__main__":
    unittest.main()
