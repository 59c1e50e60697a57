import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.util.*;

/** Echo by blocking streams (PORT) and by NIO selectors (PORT + 1). Usage: Echo server PORT | client HOST PORT SECONDS. */
public final class Echo {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("server")) {
            int port = Integer.parseInt(args[1]);
            ServerSocket blocking = new ServerSocket(port);
            Thread thread = new Thread(() -> acceptLoop(blocking));
            thread.setDaemon(true);
            thread.start();
            selectLoop(port + 1);
        } else {
            int port = Integer.parseInt(args[2]);
            long end = System.nanoTime() + (long) (Double.parseDouble(args[3]) * 1e9);
            System.out.println("blocking " + blockingClient(args[1], port, end));
            System.out.println("nio " + nioClient(args[1], port + 1, end));
        }
    }

    private static void acceptLoop(ServerSocket listener) {
        while (true) {
            try {
                Socket socket = listener.accept();
                new Thread(() -> {
                    try (socket; InputStream in = socket.getInputStream(); OutputStream out = socket.getOutputStream()) {
                        in.transferTo(out);
                    } catch (IOException e) { e.printStackTrace(); }
                }).start();
            } catch (IOException e) { e.printStackTrace(); return; }
        }
    }

    private static void selectLoop(int port) throws IOException {
        Selector selector = Selector.open();
        ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress(port));
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        while (true) {
            selector.select();
            for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext();) {
                SelectionKey key = keys.next();
                keys.remove();
                if (key.isAcceptable()) {
                    SocketChannel channel = listener.accept();
                    channel.configureBlocking(false);
                    channel.register(selector, SelectionKey.OP_READ, ByteBuffer.allocateDirect(1 << 16));
                } else {
                    echo(key);
                }
            }
        }
    }

    private static void echo(SelectionKey key) throws IOException {
        SocketChannel channel = (SocketChannel) key.channel();
        ByteBuffer buffer = (ByteBuffer) key.attachment();
        boolean ended = key.isReadable() && channel.read(buffer) < 0;
        buffer.flip();
        channel.write(buffer);
        buffer.compact();
        if (ended && buffer.position() == 0) { channel.close(); return; }
        key.interestOps((buffer.hasRemaining() && !ended ? SelectionKey.OP_READ : 0) | (buffer.position() > 0 ? SelectionKey.OP_WRITE : 0));
    }

    private static int blockingClient(String host, int port, long end) throws IOException {
        byte[][] blocks = blocks();
        try (Socket socket = new Socket(host, port)) {
            socket.setSoTimeout(20000);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            do {
                for (byte[] block : blocks) {
                    socket.getOutputStream().write(block);
                    byte[] got = new byte[block.length];
                    in.readFully(got);
                    if (!Arrays.equals(block, got)) throw new IOException("blocking: " + block.length + " bytes differ");
                }
            } while (System.nanoTime() < end);
        }
        return Arrays.deepHashCode(blocks);
    }

    private static int nioClient(String host, int port, long end) throws IOException {
        byte[][] blocks = blocks();
        try (SocketChannel channel = SocketChannel.open(new InetSocketAddress(host, port)); Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            do {
                for (byte[] block : blocks) exchange(channel, selector, key, block);
            } while (System.nanoTime() < end);
        }
        return Arrays.deepHashCode(blocks);
    }

    private static void exchange(SocketChannel channel, Selector selector, SelectionKey key, byte[] block) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(block), in = ByteBuffer.allocate(block.length);
        while (in.hasRemaining()) {
            key.interestOps(SelectionKey.OP_READ | (out.hasRemaining() ? SelectionKey.OP_WRITE : 0));
            if (selector.select(20000) == 0) throw new IOException("nio: no answer within 20 s");
            selector.selectedKeys().clear();
            if (out.hasRemaining()) channel.write(out);
            if (channel.read(in) < 0) throw new EOFException("nio: end of stream");
        }
        if (!Arrays.equals(block, in.array())) throw new IOException("nio: " + block.length + " bytes differ");
    }

    private static byte[][] blocks() {
        Random random = new Random(7);
        int[] sizes = {1, 10, 1000, 5000, 16384, 65536, 300_001};
        byte[][] blocks = new byte[sizes.length][];
        for (int i = 0; i < sizes.length; i++) random.nextBytes(blocks[i] = new byte[sizes[i]]);
        return blocks;
    }
}
