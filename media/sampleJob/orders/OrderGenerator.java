package orders;

import org.apache.flink.api.common.functions.MapFunction;

import java.util.SplittableRandom;

/** Makes the order of a number, at a steady pace. The same number always gives the same order, so a restored job repeats none and skips none. */
final class OrderGenerator implements MapFunction<Long, Order> {
    private static final String[] PRODUCTS = {
        "apples", "bread", "butter", "cheese", "coffee", "eggs", "flour", "honey", "milk", "noodles", "olives", "pears", "rice", "salt", "tea", "wine",
    };

    private final long pauseMs;
    private final int customers;

    OrderGenerator(int ordersPerSecond, int customers) {
        this.pauseMs = 1000 / ordersPerSecond;
        this.customers = customers;
    }

    @Override
    public Order map(Long number) throws InterruptedException {
        Thread.sleep(pauseMs);
        SplittableRandom random = new SplittableRandom(number);
        Order order = new Order();
        order.number = number;
        order.customer = String.format("customer-%04d", random.nextInt(customers));
        order.product = PRODUCTS[random.nextInt(PRODUCTS.length)];
        order.quantity = 1 + random.nextInt(5);
        order.cents = order.quantity * (100L + random.nextInt(2000));
        return order;
    }
}
