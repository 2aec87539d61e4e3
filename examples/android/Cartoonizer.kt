package org.example.cartoongan

import android.content.Context
import android.graphics.Bitmap
import android.util.Log
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.gpu.CompatibilityList
import org.tensorflow.lite.gpu.GpuDelegate

private const val TAG = "Cartoonizer"
private const val CPU_THREADS = 4 // more would use a phone's small cores, and the large ones would wait for them

/**
 * Turns photos into cartoons, with a .tflite file from the app's assets.
 *
 * Create, use and close it on one thread other than the main thread: a cartoon takes long, the interpreter is not
 * thread-safe, and the GPU delegate runs only on the thread that created it.
 *
 * @param asset any exported file: float32 or uint8, of free or of fixed size.
 * @param useGpu use the GPU if the delegate supports it, and the CPU otherwise. The GPU needs a file of fixed size.
 * @param longSide longer side, in pixels, at which larger photos are drawn: the style's drawing size, or less for speed.
 *   A file of fixed size has its own.
 */
class Cartoonizer(
    context: Context,
    asset: String,
    useGpu: Boolean = false,
    private val longSide: Int = 800,
) : AutoCloseable {
    private var gpu: GpuDelegate? = null
    private val interpreter: Interpreter
    private val fixedSize: Size?
    private val isFloat: Boolean

    private var canvas: Size? = null // size of the buffers
    private var input = ByteBuffer.allocateDirect(0)
    private var output = ByteBuffer.allocateDirect(0)

    init {
        val model = mapped(context, asset)
        interpreter = (if (useGpu) openOnGpu(model) else null) ?: openOnCpu(model)
        val photo = interpreter.getInputTensor(0)
        fixedSize = if (isFree(interpreter)) null else Size(width = photo.shape()[2], height = photo.shape()[1])
        isFloat = photo.dataType() == DataType.FLOAT32
    }

    /** Return the cartoon of a photo of any size, with the photo's size. */
    fun draw(photo: Bitmap): Bitmap {
        require(photo.config != Bitmap.Config.HARDWARE) {
            "The pixels of a hardware bitmap cannot be read: decode the photo with ALLOCATOR_SOFTWARE"
        }
        val picture = scaledInto(fixedSize ?: Size(longSide, longSide), Size(photo.width, photo.height))
        val canvas = fixedSize ?: padded(picture)
        makeRoom(canvas)

        val pixels = IntArray(picture.width * picture.height)
        Bitmap.createScaledBitmap(photo, picture.width, picture.height, true)
            .getPixels(pixels, 0, picture.width, 0, 0, picture.width, picture.height)
        writeRgb(pixels, picture, input, canvas, isFloat)
        output.rewind()
        interpreter.run(input, output)
        val cartoon = readRgb(output, canvas, picture, isFloat)
        val drawn = Bitmap.createBitmap(cartoon, picture.width, picture.height, Bitmap.Config.ARGB_8888)
        return Bitmap.createScaledBitmap(drawn, photo.width, photo.height, true)
    }

    override fun close() {
        interpreter.close()
        gpu?.close() // after the interpreter, which uses it
    }

    /** Resize the interpreter and the buffers, unless they have the right size already. */
    private fun makeRoom(size: Size) {
        if (size == canvas) return
        interpreter.resizeInput(0, intArrayOf(1, size.height, size.width, 3))
        val bytes = size.width * size.height * bytesPerPixel(isFloat)
        input = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
        output = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
        canvas = size
    }

    private fun openOnCpu(model: ByteBuffer) =
        Interpreter(model, Interpreter.Options().apply { setNumThreads(CPU_THREADS) })

    /** Return null if the GPU cannot be used, so that the CPU is. */
    private fun openOnGpu(model: ByteBuffer): Interpreter? {
        val delegate = CompatibilityList().use { devices ->
            if (!devices.isDelegateSupportedOnThisDevice) return null
            // Half precision is the default, and the sums of instance normalisation overflow in it.
            GpuDelegate(devices.bestOptionsForThisDevice.apply { setPrecisionLossAllowed(false) })
        }
        return try {
            val opened = Interpreter(model, Interpreter.Options().apply { addDelegate(delegate) })
            if (isFree(opened)) {
                opened.close()
                throw IllegalArgumentException("its size is free: use the file with a size in its name (-512x512)")
            }
            gpu = delegate
            opened
        } catch (e: RuntimeException) { // from the delegate, or from allocation
            Log.w(TAG, "Using the CPU, as the GPU does not take this file: ${e.message}")
            delegate.close()
            null
        }
    }

    private fun isFree(interpreter: Interpreter) = -1 in interpreter.getInputTensor(0).shapeSignature()

    private fun mapped(context: Context, asset: String): ByteBuffer = context.assets.openFd(asset).use {
        FileInputStream(it.fileDescriptor).channel.map(FileChannel.MapMode.READ_ONLY, it.startOffset, it.declaredLength)
    }
}
