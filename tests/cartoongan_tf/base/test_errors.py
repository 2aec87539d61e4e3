from cartoongan_tf.base.errors import assertion_text


def test_the_reason_is_found_in_messages_of_tensorflow():
    for message, reason in (
        ("Graph execution error:\n\nassertion failed: [too large]\n\t [[{{node a}}]]", "too large"),
        ("assertion failed: [[1] is odd] [Op:Assert]", "[1] is odd"),
        ("Invalid JPEG data, size 3\n\t [[{{node map}}]]", "Invalid JPEG data, size 3"),
    ):
        assert assertion_text(message) == reason, message
    assert "refused" in assertion_text("")
