//! How the order of a child comes about, on the clock that counts from the end.
//!
//! Each way of making one takes members and leaves the order in the island's `child`.
//!
//! Invariant: the order has every job once, each after all that waits for it.
//! Elsewhere: which way is taken, and what becomes of the child, is [`super`].

use super::{Island, Member};

/// The share of the time that is shaken, and how far a job goes, as a share of the whole.
const STRETCH: f64 = 0.1;
const FAR: f64 = 0.4;
/// In 1,024: how often one more job is pulled.
const ONE_MORE: u64 = 512;

impl Island<'_> {
    /// The first and the last part as in `one`, what is between in the order of `other`.
    pub(super) fn cross(&mut self, one: &Member, other: &Member) {
        let jobs = one.order.len();
        let points = [self.random.below(jobs + 1), self.random.below(jobs + 1)];
        let (from, to) = (points[0].min(points[1]), points[0].max(points[1]));
        self.stamp += 1;
        self.child.clear();
        for &job in &one.order[..from] {
            self.mark[job as usize] = self.stamp;
            self.child.push(job);
        }
        for &job in &other.order {
            if self.child.len() == to {
                break;
            }
            if self.mark[job as usize] != self.stamp {
                self.mark[job as usize] = self.stamp;
                self.child.push(job);
            }
        }
        let (mark, stamp) = (&self.mark, self.stamp);
        let rest = one.order.iter().filter(|&&job| mark[job as usize] != stamp);
        self.child.extend(rest);
    }

    /// What starts in some stretch of time as in `one`; before and behind it the rest, as in `other`.
    pub(super) fn stretch(&mut self, one: &Member, other: &Member) {
        let long = (f64::from(one.makespan) * (0.15 + 0.5 * self.random.unit())) as u32;
        let from = self.random.below((one.makespan - long + 1) as usize) as u32;
        let place = |time: u32| {
            one.order
                .partition_point(|&job| one.time[job as usize] < time)
        };
        let inside = &one.order[place(from)..place(from + long)];
        self.stamp += 1;
        for &job in inside {
            self.mark[job as usize] = self.stamp;
        }
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.clear();
        let outside = |&&job: &&u32| self.mark[job as usize] != self.stamp;
        let early = |&&job: &&u32| other.time[job as usize] < from;
        wanted.extend(other.order.iter().filter(outside).filter(early));
        wanted.extend(inside);
        wanted.extend(other.order.iter().filter(outside).filter(|job| !early(job)));
        self.order_child(&wanted);
        self.wanted = wanted;
    }

    /// The jobs that start in some stretch of time, moved by chance; the others as they were.
    pub(super) fn shake(&mut self, member: &Member) {
        let whole = f64::from(member.makespan);
        let from = self.random.unit() * whole * (1.0 + STRETCH) - whole * STRETCH;
        let mut keyed = std::mem::take(&mut self.keyed);
        let mut wanted = std::mem::take(&mut self.wanted);
        keyed.clear();
        wanted.clear();
        // By time in fractions of a tick, then by place.
        let key = |moved: f64, place: u64| ((moved * 64.0) as u64) << 24 | place;
        for (place, &job) in (0_u64..).zip(&member.order) {
            let time = f64::from(member.time[job as usize]);
            if time >= from && time < from + whole * STRETCH {
                let moved = time + whole + (self.random.unit() * 2.0 - 1.0) * FAR * whole;
                keyed.push((key(moved, place), job));
            }
        }
        keyed.sort_unstable();
        let mut moved = keyed.iter().peekable();
        for (place, &job) in (0_u64..).zip(&member.order) {
            let time = f64::from(member.time[job as usize]);
            if time >= from && time < from + whole * STRETCH {
                continue;
            }
            let own = key(time + whole, place);
            while let Some(&&(_, job)) = moved.peek().filter(|(key, _)| *key < own) {
                wanted.push(job);
                moved.next();
            }
            wanted.push(job);
        }
        wanted.extend(moved.map(|&(_, job)| job));
        self.order_child(&wanted);
        (self.wanted, self.keyed) = (wanted, keyed);
    }

    /// One or some of the jobs that wait for resources, critical ones if there are any, come before one of those that they wait for. So they
    /// are sure to go elsewhere.
    pub(super) fn pull(&mut self, member: &Member) {
        let model = self.model;
        let ends = &member.from_end.ends;
        let start = |job: u32| ends[job as usize] - model.plain[job as usize].duration;
        let ready = |job: u32| {
            let after = model.after.of(job).iter();
            after.map(|&other| ends[other as usize]).max().unwrap_or(0)
        };
        let waits = |&place: &usize| start(member.order[place]) > ready(member.order[place]);
        // It starts from the end when it starts from the start: there is no room for it to move.
        let critical = |&place: &usize| {
            let job = member.order[place];
            start(job) == member.time[job as usize]
        };
        let waiting = (0..member.order.len()).filter(waits);
        let (first, others): (Vec<usize>, Vec<usize>) = waiting.partition(critical);
        let candidates = if first.is_empty() { others } else { first };
        if candidates.is_empty() {
            return self.shake(member);
        }
        let mut keyed = std::mem::take(&mut self.keyed);
        keyed.clear();
        // Between two places of the order there is room for one that is pulled.
        keyed.extend(
            (0..)
                .zip(&member.order)
                .map(|(place, &job)| (place * 2 + 1, job)),
        );
        loop {
            let place = candidates[self.random.below(candidates.len())];
            let job = member.order[place];
            let from = ready(job);
            let to = from + model.plain[job as usize].duration;
            let in_its_way = |&before: &usize| {
                let other = member.order[before];
                ends[other as usize] > from && start(other) < to
            };
            let count = (0..place).filter(in_its_way).count();
            let drawn = self.random.below(count);
            if let Some(before) = (0..place).filter(in_its_way).nth(drawn) {
                keyed[place].0 = before as u64 * 2;
            }
            if !self.random.chance(ONE_MORE) {
                break;
            }
        }
        keyed.sort_unstable();
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.clear();
        wanted.extend(keyed.iter().map(|&(_, job)| job));
        self.order_child(&wanted);
        (self.wanted, self.keyed) = (wanted, keyed);
    }

    /// The wanted order becomes the child's, with what has to come before a job, on the clock that counts from the end, moved there.
    fn order_child(&mut self, wanted: &[u32]) {
        self.stamp += 1;
        self.child.clear();
        let (stamp, after) = (self.stamp, &self.model.after);
        let (mark, stack) = (&mut self.mark[..], &mut self.spare);
        stack.clear();
        for &job in wanted {
            let mut at = job;
            // Mostly everything is there already, and the stack stays empty.
            while mark[at as usize] != stamp {
                let missing = after
                    .of(at)
                    .iter()
                    .find(|&&first| mark[first as usize] != stamp);
                if let Some(&first) = missing {
                    stack.push(at);
                    at = first;
                } else {
                    mark[at as usize] = stamp;
                    self.child.push(at);
                    at = stack.pop().unwrap_or(at);
                }
            }
        }
    }
}
