//! Messages of an Amazon MQ broker, ActiveMQ or RabbitMQ.
