package org.example.cartoongan

import android.graphics.Bitmap
import android.graphics.ImageDecoder
import android.net.Uri
import android.os.Bundle
import android.util.Log
import android.widget.ImageView
import android.widget.Toast
import androidx.activity.ComponentActivity
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import java.util.concurrent.Executors

private const val LONG_SIDE = 2048 // of the photo that is read, and of its cartoon

/** Tap the picture to pick a photo; its cartoon takes the picture's place. */
class MainActivity : ComponentActivity() {
    private val worker = Executors.newSingleThreadExecutor() // the cartoonizer needs one thread for everything
    private val cartoonizer = lazy { Cartoonizer(this, "pepper-fp16-512x512.tflite", useGpu = true) }
    private val picker = registerForActivityResult(PickVisualMedia()) { photo -> if (photo != null) draw(photo) }
    private lateinit var picture: ImageView

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        picture = ImageView(this)
        picture.contentDescription = "Pick a photo"
        picture.setImageResource(android.R.drawable.ic_menu_gallery)
        picture.setOnClickListener { picker.launch(PickVisualMediaRequest(PickVisualMedia.ImageOnly)) }
        setContentView(picture)
    }

    override fun onDestroy() {
        worker.execute { if (cartoonizer.isInitialized()) cartoonizer.value.close() }
        worker.shutdown() // after the tasks that it already has
        super.onDestroy()
    }

    private fun draw(photo: Uri) = worker.execute {
        try {
            val cartoon = cartoonizer.value.draw(decoded(photo))
            runOnUiThread { picture.setImageBitmap(cartoon) }
        } catch (e: Exception) {
            Log.e("MainActivity", "Could not cartoonize $photo", e)
            val message = "Could not cartoonize this photo: ${e.message}"
            runOnUiThread { Toast.makeText(this, message, Toast.LENGTH_LONG).show() }
        }
    }

    /** Decode a photo, upright and no larger than needed: at full size, 50 megapixels would take 200 MB. */
    private fun decoded(photo: Uri): Bitmap =
        ImageDecoder.decodeBitmap(ImageDecoder.createSource(contentResolver, photo)) { decoder, info, _ ->
            val size = scaledInto(Size(LONG_SIDE, LONG_SIDE), Size(info.size.width, info.size.height))
            decoder.setTargetSize(size.width, size.height)
            decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE // the cartoonizer reads the pixels
        }
}
