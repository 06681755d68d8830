"""A ball with drag that bounces: its state is a dataclass, copied at each step."""

import copy
import math
from dataclasses import dataclass, replace

START = [[9.0, 0.8, 0.02], [6.0, 1.2, 0.1]]


@dataclass
class State:
    x: float
    y: float
    vx: float
    vy: float
    bounces: int = 0


def stepped(state, drag, dt):
    speed = math.hypot(state.vx, state.vy)
    new = copy.copy(state)
    new.vx -= drag * speed * state.vx * dt
    new.vy -= (9.81 + drag * speed * state.vy) * dt
    new.x += new.vx * dt
    new.y += new.vy * dt
    if new.y < 0:
        new = replace(new, y=-new.y, vy=-0.7 * new.vy, bounces=new.bounces + 1)
    return new


def run(parameters):
    speed, angle, drag = parameters
    state = State(0.0, 0.5, speed * math.cos(angle), speed * math.sin(angle))
    best = copy.deepcopy(state)
    for _ in range(40):
        state = stepped(state, drag, 0.05)
        if state.y > best.y:
            best = copy.deepcopy(state)
    return state.x + best.y + 0.1 * state.bounces * drag
