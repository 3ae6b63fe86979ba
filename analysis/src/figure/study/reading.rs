//! How to read each kind of figure: the report says it below the picture.

/// The answer.
pub(super) const ANSWER: &str = "\
Each row is one payload and one number of connections. The marker is the server CPU time per message under io_uring, divided by that \
under epoll. Left of 1 io_uring is cheaper, right of 1 epoll is. The line through a marker is its 95 % interval. The grey band is the \
noise: the same server, measured twice, differs by as much. Only a coloured marker claims a difference. It lies outside of the band, and its \
interval leaves 1 out. A quick recording claims none, so all its markers are grey.";

/// Ratios over a grid.
pub(super) const HEAT: &str = "\
A cell is the first server divided by the second, as the title names them. In an orange cell the first is better, in a blue one the \
second is. The stronger the colour, the larger the factor. Only bold cells claim a difference.";

/// Bars over connections.
pub(super) const BARS: &str = "\
Each group is a number of connections, each panel a size of message. A taller bar is better. Where the client was the limit, throughput \
says little of the server: compare CPU time.";

/// Costs over connections.
pub(super) const COST: &str = "\
Lower is better. The axis is logarithmic: equal distances are equal factors. Intervals that do not overlap differ.";

/// Ours beside what was published.
pub(super) const PAIRS: &str = "\
Each row is a cell, each marker the ratio that the title names. Two markers on the same side of the line agree about who is faster.";

/// Latency by percentile.
pub(super) const TAIL: &str = "\
Each further nine takes the same room, so the right half is the slowest hundredth of the messages. Lower is better.";

/// Counts by kernel.
pub(super) const RELEASES: &str = "\
Each panel is a cell. A curve that falls is a server whose messages take fewer instructions with each release. Between the curves lies what \
one server takes more than the other on the same kernel. An instruction is no unit of time.";

/// What each connection got.
pub(super) const SHARES: &str = "\
A connection at 1 got its fair share. The steeper the curve is at 1, the fairer the server. A flat or stepped curve means that some \
connections got more than others.";

/// Second by second.
pub(super) const SECONDS: &str = "\
The figure shows one repetition, second by second. A curve with a slope drifted. A curve with a hole stalled.";

/// Victims beside hogs.
pub(super) const VICTIMS: &str = "\
The left panel shows how long connections that behave well wait beside each kind of hog: lower is better. The right panel shows what they \
get: higher is better. Compare a server's row with its row without hogs.";

/// Latency over load.
pub(super) const LOAD: &str = "\
The solid curve counts from when a message should have been sent, which is what a user feels. The dashed curve counts from when it was \
sent, which hides the wait before. Where the two part, the server no longer keeps up.";

/// Cost of one more connection.
pub(super) const SCALE: &str = "\
Each panel is another quantity; lower is better. A level line means that one more connection changes nothing for the others. Memory is \
that of the process, without the kernel's socket buffers.";

/// Variants of a server.
pub(super) const EFFECTS: &str = "\
Each row is one server divided by another in the same cells, with its interval. Left of the line the first server has the smaller value, \
right of it the larger.";

/// Counts of instructions.
pub(super) const INSTRUCTIONS: &str = "\
Each marker is what one message costs client, server and kernel together, counted in a guest whose clock is its instructions. Lower is \
fewer. An instruction is no unit of time: a system call is few of them and takes long.";

/// One thing different.
pub(super) const ABLATION: &str = "\
Each row is the default with one thing changed, divided by the default, which ran right before or after it. Left of 1 the change saves \
CPU time, right of 1 it costs. The grey band is the noise: the same server, measured twice, differs by as much. Only a coloured marker \
claims a difference.";

/// Many servers beside one.
pub(super) const SIDE_BY_SIDE: &str = "\
Each row is one server. Left of 1 a message costs it less of the server's core than it costs the server that all are compared with, right \
of 1 more. Jain's index is 1 where every connection got the same. A server that is marked is cheap or dear at the price of some of its \
connections.";

/// A chart of the study of 2023.
pub(super) const PUBLISHED: &str = "\
Each pair of bars is a number of connections; a taller bar is better. The study charted this; it is drawn here from the study's raw \
results.";
