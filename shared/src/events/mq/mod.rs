//! Messages of an Amazon MQ broker, ActiveMQ or RabbitMQ.
//!
//! See [Using Lambda with Amazon MQ](https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html).

mod property;
mod read;
mod record;

pub use self::{
    read::read_broker_messages,
    record::{BrokerEvent, BrokerMessage, MalformedMessage, MessageKind},
};

#[cfg(test)]
mod tests;
