"""A Kalman filter that follows a noisy track: the likelihood of the measurements, with the inverse of a matrix."""

import numpy as np

START = [[0.5, 0.2, 0.1, 1.0], [1.1, 0.4, -0.3, 0.6]]
TRACK = np.array([[0.1, 0.9], [0.6, 1.4], [1.3, 2.2], [1.7, 2.4], [2.4, 3.3]])


def run(parameters):
    process, noise, x0, v0 = parameters
    dt = 0.5
    F = np.eye(4)
    F[0, 2] = F[1, 3] = dt
    H = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]])
    Q = process**2 * np.diag([dt**3 / 3, dt**3 / 3, dt, dt])
    R = noise**2 * np.eye(2)
    x = np.array([x0, 1.0, v0, 0.8])
    P = np.eye(4)
    likelihood = 0.0
    for z in TRACK:
        x = F @ x
        P = F @ P @ F.T + Q
        residual = z - H @ x
        S = H @ P @ H.T + R
        K = P @ H.T @ np.linalg.inv(S)
        x = x + K @ residual
        P = (np.eye(4) - K @ H) @ P
        likelihood -= 0.5 * (residual @ np.linalg.solve(S, residual) + np.log(np.linalg.det(2 * np.pi * S)))
    return likelihood + np.linalg.norm(x)
