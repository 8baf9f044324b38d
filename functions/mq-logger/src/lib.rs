//! Logs the messages of an Amazon MQ broker, ActiveMQ or RabbitMQ.
