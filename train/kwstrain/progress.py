"""A bar on a terminal while an epoch runs; nothing where no one watches."""
import sys
import time

WIDTH = 30


class Progress:
    def __init__(self, title, total):
        self.title, self.total, self.done = title, total, 0
        self.started = time.monotonic()

    def step(self, text):
        self.done += 1
        if not sys.stderr.isatty():
            return
        seconds = time.monotonic() - self.started
        left = seconds / self.done * (self.total - self.done)
        filled = WIDTH * self.done // self.total
        print(f"\r{self.title} [{'#' * filled}{'.' * (WIDTH - filled)}] {self.done}/{self.total}  {text}  {left:.0f} s left \x1b[K",
              end="", file=sys.stderr, flush=True)

    def finish(self):
        """Clears the bar. Returns the seconds since the beginning."""
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        return time.monotonic() - self.started
