"""SIMULATED cost of collectives: latency and bandwidth, as a ring and by levels.

| collective, n ranks, B bytes | bytes a rank sends | messages one after another |
|------------------------------|--------------------|----------------------------|
| all-reduce                   | 2 (n-1)/n B        | 2 (n-1)                    |
| reduce-scatter, all-gather   | (n-1)/n B          | n-1                        |

(Thakur, Rabenseifner and Gropp 2005; Patarasuk and Yuan 2009; "busbw" in doc/PERFORMANCE.md of
nccl-tests.) A time is messages * latency + bytes / bandwidth.

ring: one after another through all cards. A node's cards share out the traffic to the next node
over all its adapters (NCCL lays a ring through each), so the bandwidth is that of the slower of
the links in a node and all adapters together.

by levels: reduce-scatter in the node, the collective between nodes on every card's share, and
all-gather in the node (Rabenseifner's all-reduce on two levels; NCCL and MPI do likewise):
fewer messages one after another, and links that wait for each other.

tree (all-reduce alone): a chain in the node and two binary trees over the nodes, each of which
carries half (Sanders, Speck, Traeff 2009; NCCL since 2.4): 2 log2(nodes) messages between nodes,
and the bandwidth of a ring.
"""

import dataclasses
import math
from typing import Literal

Collective = Literal["all-reduce", "reduce-scatter", "all-gather"]
PASSES: dict[Collective, int] = {"all-reduce": 2, "reduce-scatter": 1, "all-gather": 1}


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """Cards in nodes; bandwidths in bytes/s per direction, latencies in s."""

    cards: int = 8
    """Of a node."""
    node_bandwidth: float = 450e9
    """Of one card to the others of its node: NVLink 4, 900 GB/s in both directions."""
    node_latency: float = 3e-6
    adapter_bandwidth: float = 50e9
    """400 Gb/s InfiniBand, one adapter a card, as in DGX H100 and H200."""
    adapter_latency: float = 8e-6
    reached: float = 0.8
    """Share of the nominal bandwidths that collectives of many megabytes reach; an assumption."""

    def __str__(self) -> str:
        return (
            f"{self.cards} cards a node, {self.node_bandwidth / 1e9:.0f} GB/s NVLink and "
            f"{self.adapter_bandwidth * 8 / 1e9:.0f} Gb/s InfiniBand a card and direction, "
            f"{self.reached:.0%} of it reached, latencies {self.node_latency * 1e6:.0f} and "
            f"{self.adapter_latency * 1e6:.0f} microseconds"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """Simulated seconds of a collective."""

    latency: float
    bandwidth: float
    way: Literal["ring", "by levels", "tree"]

    @property
    def seconds(self) -> float:
        """All in all."""
        return self.latency + self.bandwidth


def cost(kind: Collective, size: float, pieces: int, ranks: int, network: Network) -> Cost:
    """The cheapest way for `size` bytes over so many ranks, in pieces one after another."""
    ways = [ring(kind, size / pieces, ranks, network)]
    if ranks > network.cards:
        ways.append(by_levels(kind, size / pieces, ranks, network))
        if kind == "all-reduce":
            ways.append(tree(size / pieces, ranks, network))
    best = min(ways, key=lambda way: way.seconds)
    return Cost(pieces * best.latency, pieces * best.bandwidth, best.way)


def ring(kind: Collective, size: float, ranks: int, network: Network) -> Cost:
    """One ring through all ranks."""
    hops = PASSES[kind] * (ranks - 1)
    bandwidth, latency = network.node_bandwidth, network.node_latency
    if ranks > network.cards:
        bandwidth = min(bandwidth, network.cards * network.adapter_bandwidth)
        between = 1 / network.cards  # of the hops, one in so many leaves the node
        latency = between * network.adapter_latency + (1 - between) * network.node_latency
    seconds = hops / ranks * size / (network.reached * bandwidth)
    return Cost(hops * latency, seconds, "ring")


def by_levels(kind: Collective, size: float, ranks: int, network: Network) -> Cost:
    """Within each node, then between nodes, then within each node."""
    nodes = math.ceil(ranks / network.cards)
    inside, between = PASSES[kind] * (network.cards - 1), PASSES[kind] * (nodes - 1)
    inside_s = inside / network.cards * size / (network.reached * network.node_bandwidth)
    share = size / network.cards
    between_s = between / nodes * share / (network.reached * network.adapter_bandwidth)
    latency = inside * network.node_latency + between * network.adapter_latency
    return Cost(latency, inside_s + between_s, "by levels")


def tree(size: float, ranks: int, network: Network) -> Cost:
    """An all-reduce up two binary trees over the nodes, and down again."""
    levels = math.ceil(math.log2(ranks / network.cards))
    latency = 2 * (levels * network.adapter_latency + (network.cards - 1) * network.node_latency)
    bandwidth = min(network.node_bandwidth, network.cards * network.adapter_bandwidth)
    return Cost(latency, 2 * size / (network.reached * bandwidth), "tree")
