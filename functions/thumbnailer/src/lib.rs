//! Makes a thumbnail of each image uploaded.
