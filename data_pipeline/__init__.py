"""From pictures to batches: edge smoothing, TFRecords, and the tf.data pipeline that training reads."""
