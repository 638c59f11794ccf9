"""Small SVG charts: curves through points, and stacked bars, with axes."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 20, 55
LEGEND, LEGEND_STEP = 24, 160  # below the chart, where no curve can be
COLOURS = ("#1f6fb4", "#d9541e", "#3a923a", "#8a4fb5")


def ticks(low, high, count=6):
    """Round numbers from below `low` to above `high`."""
    raw = (high - low) / count or 1
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return [i * step for i in range(first, last + 1)]


def draw(curves, x_label, y_label):
    """`curves`: {name: [(x, y, ...)]}."""
    points = [point for curve in curves.values() for point in curve]
    xs = ticks(min(p[0] for p in points), max(p[0] for p in points))
    ys = ticks(min(p[1] for p in points), max(p[1] for p in points))
    x_of = lambda x: LEFT + (x - xs[0]) / (xs[-1] - xs[0]) * (WIDTH - LEFT - RIGHT)
    y_of = lambda y: HEIGHT - BOTTOM - (y - ys[0]) / (ys[-1] - ys[0]) * (HEIGHT - TOP - BOTTOM)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + LEGEND}" font-family="sans-serif" '
             'font-size="13">', f'<rect width="{WIDTH}" height="{HEIGHT + LEGEND}" fill="white"/>']
    for x in xs:
        parts.append(f'<path d="M{x_of(x):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
                     f'<text x="{x_of(x):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{x:g}</text>')
    for y in ys:
        parts.append(f'<path d="M{LEFT} {y_of(y):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 8}" y="{y_of(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(f'<text transform="translate(18 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>')
    for index, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[index % len(COLOURS)]
        line = " ".join(f"{x_of(p[0]):.1f},{y_of(p[1]):.1f}" for p in curve)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(p[0]):.1f}" cy="{y_of(p[1]):.1f}" r="3.5" fill="{colour}"/>' for p in curve]
        x, y = LEFT + LEGEND_STEP * index, HEIGHT + LEGEND - 12
        parts.append(f'<path d="M{x} {y - 4}h20" stroke="{colour}" stroke-width="2"/>'
                     f'<text x="{x + 26}" y="{y}">{escape(name)}</text>')
    return "\n".join(parts) + "\n</svg>\n"


PANEL_WIDTH, PANEL_HEIGHT = 480, 300
PANEL_LEFT, PANEL_TOP, PANEL_BOTTOM = 55, 40, 60
SHADES = ("#deebf7", "#9ecae1", "#4f9bc9", "#2166a5", "#08306b")


def _bar(x, width, parts):
    """One bar: shares of its sum on top of each other, the first at the bottom."""
    height, total, low, drawn = PANEL_HEIGHT - PANEL_TOP - PANEL_BOTTOM, sum(parts) or 1, 0, []
    for part, shade in zip(parts, SHADES):
        top = low + part / total * height
        drawn.append(f'<rect x="{x:.1f}" y="{PANEL_HEIGHT - PANEL_BOTTOM - top:.1f}" width="{width:.1f}" '
                     f'height="{top - low:.1f}" fill="{shade}"><title>{part}</title></rect>')
        low = top
    return drawn


def _panel(title, bars, x_label):
    height = PANEL_HEIGHT - PANEL_TOP - PANEL_BOTTOM
    parts = [f'<text x="{PANEL_WIDTH / 2}" y="26" text-anchor="middle" font-weight="bold">{escape(title)}</text>']
    for percent in range(0, 101, 25):
        y = PANEL_HEIGHT - PANEL_BOTTOM - percent / 100 * height
        parts.append(f'<path d="M{PANEL_LEFT} {y:.1f}H{PANEL_WIDTH - RIGHT}" stroke="#ddd"/>'
                     f'<text x="{PANEL_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{percent}</text>')
    step = (PANEL_WIDTH - RIGHT - PANEL_LEFT) / len(bars)
    for index, (name, shares) in enumerate(bars.items()):
        x = PANEL_LEFT + (index + 0.5) * step
        parts += _bar(x - 0.36 * step, 0.72 * step, shares)
        parts.append(f'<text x="{x:.1f}" y="{PANEL_HEIGHT - PANEL_BOTTOM + 16}" text-anchor="middle" font-size="9">'
                     f'{escape(str(name))}</text>')
    parts.append(f'<text x="{PANEL_WIDTH / 2}" y="{PANEL_HEIGHT - 22}" text-anchor="middle">{escape(x_label)}</text>')
    return parts


def draw_shares(panels, parts, x_label):
    """Stacked bars of shares in %, panels two in a row. `panels`: {title: {bar: [count of each part]}}; `parts`: names for
    the legend, at most as many as SHADES."""
    rows = -(-len(panels) // 2)
    width, height = 2 * PANEL_WIDTH, rows * PANEL_HEIGHT + 30
    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             'font-size="13">', f'<rect width="{width}" height="{height}" fill="white"/>']
    for index, (title, bars) in enumerate(panels.items()):
        drawn += [f'<g transform="translate({index % 2 * PANEL_WIDTH} {index // 2 * PANEL_HEIGHT})">',
                  *_panel(title, bars, x_label), "</g>"]
    for index, (part, shade) in enumerate(zip(parts, SHADES)):
        drawn.append(f'<rect x="{PANEL_LEFT + 110 * index}" y="{height - 24}" width="14" height="14" fill="{shade}" stroke="#888"/>'
                     f'<text x="{PANEL_LEFT + 20 + 110 * index}" y="{height - 12}">{escape(part)}</text>')
    return "\n".join(drawn) + "\n</svg>\n"
