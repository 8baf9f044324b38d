//! A world: its services, and the time in it.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    runtime::Builder,
    sync::mpsc::unbounded_channel,
    task::{LocalSet, spawn_local},
    time::{Instant, sleep, sleep_until},
};

use super::{
    clock::HostClock,
    disputes::Disputes,
    faults::FaultPlan,
    history::{Event, History, Name, timeline},
    host::Host,
    lambda::{Function, FunctionConfig, Handler, Mapping, MappingConfig, run_schedule},
    seed::Stream,
    service::{Aws, locked},
    sqs::{Counts, Outgoing, QueueConfig, SimulatedQueue, Stored},
};
use crate::events::Queue;

/// A world that is about to begin.
#[derive(Debug, Clone)]
pub struct Simulation {
    seed: u64,
    plan: FaultPlan,
    disputes: Disputes,
}

impl Simulation {
    /// The world of a seed, in which nothing goes wrong; what AWS leaves open is drawn.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, plan: FaultPlan::none(), disputes: Disputes::draw(&Stream::new(seed).fork("disputes")) }
    }

    /// The same with faults.
    #[must_use]
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.plan = plan;
        self
    }

    /// The same with these answers to what AWS leaves open.
    #[must_use]
    pub fn disputes(mut self, disputes: Disputes) -> Self {
        self.disputes = disputes;
        self
    }

    /// Lives through it, on a runtime of its own whose clock jumps from one event to the next. All tasks end with `body`.
    ///
    /// # Panics
    ///
    /// Inside another runtime, and when `body` does.
    pub fn run<T>(self, body: impl AsyncFnOnce(&World) -> T) -> T {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without I/O needs nothing of the system");
        LocalSet::new().block_on(&runtime, async {
            let aws = Aws {
                start: Instant::now(),
                seed: Stream::new(self.seed),
                disputes: self.disputes,
                plan: self.plan,
                history: History::default(),
                queues: Mutex::default(),
                tables: Mutex::default(),
                functions: Mutex::default(),
            };
            let world = World { aws: Arc::new(aws), functions: RefCell::default() };
            body(&world).await
        })
    }
}

/// The simulated AWS, from outside: what a test sets up, sends and sees. Nothing here is hurt by faults.
pub struct World {
    aws: Arc<Aws>,
    functions: RefCell<BTreeMap<Name, Rc<Function>>>,
}

impl World {
    /// Makes a queue. A dead-letter queue is made before its source.
    ///
    /// # Panics
    ///
    /// When the dead-letter queue does not exist or is of another type (C8).
    pub fn queue(&self, config: QueueConfig) -> Queue {
        if let Some(redrive) = &config.redrive {
            let is_there = self.aws.queue(&redrive.dead_letter_queue).is_some();
            let is_fifo = |name: &str| name.ends_with(".fifo");
            assert!(is_there, "make the dead-letter queue {} first", redrive.dead_letter_queue);
            assert_eq!(is_fifo(&config.name), is_fifo(&redrive.dead_letter_queue), "C8: both FIFO or none");
        }
        let draws = self.aws.seed.fork(&format!("queue {}", config.name));
        let queue = Arc::new(SimulatedQueue::new(config, draws).expect("a name makes an ARN"));
        locked(&self.aws.queues).insert(queue.name.clone(), queue.clone());
        queue.queue.clone()
    }

    /// Makes a function; `factory` makes the handler of each new process.
    pub fn function(&self, config: FunctionConfig, factory: impl Fn(&Host) -> Box<dyn Handler> + 'static) {
        let name: Name = config.name.as_str().into();
        let function = Rc::new(Function::new(&self.aws, config, Box::new(factory)));
        let (inbox, calls) = unbounded_channel();
        locked(&self.aws.functions).insert(name.clone(), inbox);
        self.functions.borrow_mut().insert(name, function.clone());
        spawn_local(function.take_calls(calls));
    }

    /// Lets Lambda poll a queue for a function.
    ///
    /// # Panics
    ///
    /// When AWS refuses the mapping (E3, E4, E5), or queue or function do not exist.
    pub fn mapping(&self, config: MappingConfig) {
        let queue = self.known(&config.queue);
        let function = self.known_function(&config.function);
        assert!(
            queue.config.visibility >= function.config.timeout,
            "E3: the visibility is below the function's time-out"
        );
        assert!(config.batch_size <= 10 || !config.window.is_zero(), "E4: more than 10 need a window");
        assert!(config.window.is_zero() || !queue.queue.is_fifo(), "E5: a FIFO queue has no window");
        spawn_local(Rc::new(Mapping::new(config, queue, function)).run());
    }

    /// Invokes a function with `input` once a period.
    ///
    /// # Panics
    ///
    /// When the function does not exist.
    pub fn schedule(&self, function: &str, every: Duration, input: &str) {
        spawn_local(run_schedule(self.known_function(function), every, input.to_owned()));
    }

    /// A machine outside Lambda: a consumer's.
    #[must_use]
    pub fn host(&self, name: &str) -> Host {
        Host::new(&self.aws, name)
    }

    /// Sends a message as a producer whom no fault meets: its id, or why SQS refuses it.
    pub fn send(&self, queue: &Queue, outgoing: impl Into<Outgoing>) -> Result<String, String> {
        let id = self.known(queue.name()).send(&self.aws, &"producer".into(), outgoing.into(), None)?;
        Ok(id.to_string())
    }

    /// How many messages a queue has.
    #[must_use]
    pub fn counts(&self, queue: &Queue) -> Counts {
        self.known(queue.name()).counts(&self.aws)
    }

    /// The messages of a queue, without receiving them.
    #[must_use]
    pub fn messages(&self, queue: &Queue) -> Vec<Stored> {
        self.known(queue.name()).messages(&self.aws)
    }

    /// The time since the world's start.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.aws.now()
    }

    /// The right time of day.
    #[must_use]
    pub fn clock(&self) -> HostClock {
        HostClock::exact(self.aws.start)
    }

    /// A stream of the world's seed, for a scenario's own draws.
    #[must_use]
    pub fn stream(&self, name: &str) -> Stream {
        self.aws.seed.fork(&format!("scenario {name}"))
    }

    /// Lets time pass.
    pub async fn pass(&self, time: Duration) {
        sleep(time).await;
    }

    /// Lets time pass until `is_so`, and says whether that was before `limit` (since the world's start). It is asked
    /// whenever something happened.
    pub async fn until(&self, limit: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let end = sleep_until(self.aws.start + limit);
        tokio::pin!(end);
        loop {
            if is_so(self) {
                return true;
            }
            tokio::select! {
                biased;
                () = self.aws.history.changed.notified() => {}
                () = &mut end => return is_so(self),
            }
        }
    }

    /// Lets time pass until a queue has no messages: neither visible nor in flight nor delayed.
    pub async fn until_drained(&self, queue: &Queue, limit: Duration) -> bool {
        self.until(limit, |world| world.counts(queue).total() == 0).await
    }

    /// All that happened so far.
    #[must_use]
    pub fn history(&self) -> Vec<Event> {
        self.aws.history.events().clone()
    }

    /// All that happened so far, or what is about one message, one line an event.
    #[must_use]
    pub fn timeline(&self, message: Option<&str>) -> String {
        timeline(&self.aws.history.events(), message)
    }

    /// What this world makes of what AWS leaves open.
    #[must_use]
    pub fn disputes(&self) -> &Disputes {
        &self.aws.disputes
    }

    fn known(&self, queue: &str) -> Arc<SimulatedQueue> {
        self.aws.queue(queue).unwrap_or_else(|| unknown(queue))
    }

    fn known_function(&self, name: &str) -> Rc<Function> {
        self.functions.borrow().get(name).cloned().unwrap_or_else(|| unknown(name))
    }
}

#[allow(clippy::panic, reason = "a mistake in the test itself")]
fn unknown<T>(name: &str) -> T {
    panic!("this world has no {name}")
}
